"""Recording an event."""

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit.log import record
from linkadmin.audit.models import AppendOnlyError, AuditEvent, AuditHead, Outcome

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_records_who_did_what_to_which_target_and_in_which_request() -> None:
    ana = User.objects.create_user(username="ana", password="irrelevant here", roles=Role.SUPPORT)

    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        record(
            actor=ana,
            action="link.credentials.requested",
            object_type="link",
            object_id="l-1",
            outcome=Outcome.REQUESTED,
            operation_id="o-1",
            details={"attempt": 2, "fields": "password", "again": True},
        )

    event = AuditEvent.objects.get()
    assert (event.actor_id, event.actor, event.actor_role) == (str(ana.id), "ana", "support")
    assert (event.action, event.object_type, event.object_id) == ("link.credentials.requested", "link", "l-1")
    assert (event.outcome, event.operation_id, event.request_id) == ("requested", "o-1", "r-1")
    assert event.details == {"attempt": 2, "fields": "password", "again": True}


def test_chains_each_event_to_the_one_before() -> None:
    for _ in range(2):
        record(actor=None, action="link.seen", outcome=Outcome.DONE)

    first, second = AuditEvent.objects.order_by("seq")
    assert (first.seq, second.seq) == (1, 2)
    assert second.prev == first.hash
    assert AuditHead.objects.values_list("seq", "hash").get() == (2, second.hash)


def test_stores_nothing_of_an_action_that_is_rolled_back() -> None:
    with transaction.atomic():
        record(actor=None, action="link.created", outcome=Outcome.DONE)
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()
    assert AuditHead.objects.get().seq == 0


def test_action_is_rolled_back_if_its_event_cannot_be_written() -> None:
    with transaction.atomic():
        User.objects.create_user(username="ana", password="irrelevant here", roles=Role.SUPPORT)
        with pytest.raises(ValidationError):
            record(actor=None, action="far too long " * 20, outcome=Outcome.DONE)

        assert transaction.get_connection().needs_rollback
        transaction.set_rollback(True)

    assert not User.objects.exists()


def test_refuses_to_work_without_a_key_and_names_the_variable(settings: Settings) -> None:
    settings.AUDIT_KEY = ""

    with pytest.raises(ImproperlyConfigured, match="LINKADMIN_AUDIT_KEY"):
        record(actor=None, action="link.seen", outcome=Outcome.DONE)


@pytest.mark.parametrize(
    ("detail", "error"),
    [({"key": "a"}, TypeError), (1.5, TypeError), (None, TypeError), ("x" * 201, ValueError), ("a\nb", ValueError)],
)
def test_rejects_details_that_could_hide_something(detail: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        record(actor=None, action="link.seen", outcome=Outcome.DONE, details={"detail": detail})  # type: ignore[dict-item]


def test_rejects_an_unknown_outcome() -> None:
    with pytest.raises(ValueError, match="splendid"):
        record(actor=None, action="link.seen", outcome="splendid")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET actor = 'nobody'",
        "DELETE FROM audit_auditevent",
        "REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent"
        if connection.vendor == "sqlite"
        else "TRUNCATE audit_auditevent",
    ],
)
def test_is_final_even_for_raw_sql(statement: str) -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)

    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert AuditEvent.objects.get().actor == ""


def test_is_final_for_our_own_code() -> None:
    record(actor=None, action="link.seen", outcome=Outcome.DONE)
    event = AuditEvent.objects.get()

    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    with pytest.raises(AppendOnlyError):
        AuditEvent.objects.update(actor="nobody")
    with pytest.raises(AppendOnlyError):
        AuditEvent.objects.all().delete()


def test_survives_the_person_it_names() -> None:
    ana = User.objects.create_user(username="ana", password="irrelevant here", roles=Role.SUPPORT)
    record(actor=ana, action="link.seen", outcome=Outcome.DONE)

    ana.delete()

    assert AuditEvent.objects.get().actor == "ana"
