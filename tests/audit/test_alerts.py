"""Alerts about the audit log, on every page of administrators and auditors."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.log import record
from linkadmin.audit.models import AuditCheck, Outcome
from linkadmin.audit.tasks import verify
from tests.conftest import audit_triggers_lifted
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def verified(env: Environment) -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)
    verify()


def shown(env: Environment, name: str = "adm", path: str = "/") -> str:
    """All text of a page, tags left out."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", env.open(path, name).source)).split())


@pytest.mark.usefixtures("verified")
def test_says_nothing_while_all_is_well(env: Environment) -> None:
    assert "udit log" not in shown(env)


@pytest.mark.usefixtures("verified")
@pytest.mark.parametrize("path", ["/", "/integrations/", "/admin/", "/staff/"])
def test_tells_administrators_on_every_page_that_the_log_failed(env: Environment, path: str) -> None:
    with audit_triggers_lifted():
        connection.cursor().execute("DELETE FROM audit_auditevent WHERE seq = 1")
    verify()

    assert "The audit log failed verification. The audit log is broken at event 1" in shown(env, path=path)
    assert "failed verification" in shown(env, "aud")
    assert "failed verification" not in shown(env, "ana")


@pytest.mark.usefixtures("verified")
def test_tells_administrators_that_no_verification_ran(env: Environment) -> None:
    AuditCheck.objects.update(checked_at=timezone.now() - timedelta(hours=27))

    assert "The audit log hasn't been verified for over a day." in shown(env)


def test_expects_no_verification_of_a_log_that_began_today(env: Environment) -> None:
    assert "udit log" not in shown(env)


@pytest.mark.usefixtures("verified")
def test_tells_administrators_that_heads_cannot_be_written(env: Environment, settings: Settings) -> None:
    settings.AUDIT_HEADS_FILE = "/where/heads.jsonl"
    AuditCheck.objects.update(head_problem="Permission denied", head_problem_since=timezone.now())

    assert "Couldn't write to the signed-heads file: Permission denied." in shown(env)
