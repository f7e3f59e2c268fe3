"""Health probes: what they check, that they work without our Host header, and their one-word answer."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditCheck
from linkadmin.heartbeats import watch
from linkadmin.heartbeats.models import Heartbeat
from linkadmin.web import probes

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PROBES = ["/livez/", "/readyz/", "/healthz/", "/statusz/"]


@pytest.fixture
def _unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse() -> None:
        raise OperationalError("connection to server at db.example.com failed")

    monkeypatch.setattr("django.db.connection.cursor", refuse)
    return


def status(path: str) -> int:
    return Client().get(path).status_code


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("path", PROBES)
def test_answers_anyone_without_host_redirect_session_or_detail(path: str, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = Client().get(path, headers={"Host": "10.1.2.3:8000"})

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert not answer.cookies


def test_dead_processes_fail_only_the_status() -> None:
    assert [status(path) for path in PROBES] == [200, 200, 200, 503]
    assert Client().get("/statusz/").content == b"failing\n"


@pytest.mark.usefixtures("_unreachable")
def test_without_a_database_the_process_lives_but_can_not_serve() -> None:
    assert [status(path) for path in PROBES] == [200, 503, 503, 503]


@pytest.mark.usefixtures("running")
def test_status_fails_without_a_broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_broker_answers", lambda: False)

    assert (status("/readyz/"), status("/statusz/")) == (200, 503)


@pytest.mark.usefixtures("running")
def test_status_fails_with_a_broken_audit_log() -> None:
    AuditCheck.objects.update_or_create(pk=1, defaults={"verdict": AuditCheck.Verdict.BROKEN})

    assert (status("/readyz/"), status("/statusz/")) == (200, 503)


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("kind", "column", "scheduler", "workers"),
    [("beat", "alive_at", True, False), ("worker", "alive_at", False, True), ("worker", "worked_at", False, True)],
)
def test_what_is_silent_is_dead(kind: str, column: str, *, scheduler: bool, workers: bool) -> None:
    Heartbeat.objects.filter(kind=kind).update(**{column: timezone.now() - timedelta(seconds=45)})

    background = watch.read_status()

    assert (background.scheduler_is_dead, background.workers_are_dead) == (scheduler, workers)
    assert status("/statusz/") == 503
