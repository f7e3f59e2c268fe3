"""Invariants when things happen at the same moment, late, or while the database is down."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser
from linkadmin.operations import outcomes, reconcile, slots, tasks
from linkadmin.operations.budget import budget_of
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_response_waits_for_an_unreachable_database(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    link, whole, tries = env.belvo_link(), outcomes.record_outcome, []

    def away_at_first(*args: Any, **kwargs: Any) -> None:
        tries.append(args)
        if len(tries) < 2:
            raise OperationalError("the connection is closed")
        whole(*args, **kwargs)

    monkeypatch.setattr(outcomes, "record_outcome", away_at_first)
    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")
    env.settled()

    assert env.last_operation(link).state == State.SUCCEEDED
    assert len(env.calls("PUT")) == 1


def test_request_with_an_expired_lease_is_not_sent(env: Environment, settings: Settings) -> None:
    settings.LEASE_MARGIN_SECONDS = -1_000
    link = env.belvo_link()

    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")
    env.settled()

    assert env.calls("PUT") == []
    assert env.last_operation(link).state == State.SENDING


def test_link_that_appears_meanwhile_stops_the_create(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    customer, waited = env.customer("Acme Corp"), slots.slot_for

    def place(integration_id: Any, **named: Any) -> Any:
        monkeypatch.setattr("linkadmin.operations.slots.slot_for", waited)
        env.heron_link(item_id="item-1")
        return waited(integration_id, **named)

    monkeypatch.setattr("linkadmin.operations.slots.slot_for", place)
    typed = {"end_user_id": customer.external_id, "access_token": "access-1", "item_id": "item-1"}
    answer = env.send(env.new_link_url(), **typed)

    assert answer.status == 409
    assert [call for call in env.calls("POST") if call.body.get("access_token") == "access-1"] == []


def test_refused_create_saves_no_customer(env: Environment) -> None:
    form = env.open(env.new_link_url()).form_with("access_token")
    Integration.objects.filter(pk=env.heron.pk).update(key_state=Integration.KeyState.REJECTED)

    typed = {"end_user_id": "new-1", "end_user_name": "New Ltd", "access_token": "access-1", "item_id": "item-1"}
    answer = env.post(env.new_link_url(), form.values | typed)

    assert answer.status == 409
    assert not EndUser.objects.filter(external_id="new-1").exists()
    assert AuditEvent.objects.filter(action="operation.create_link", outcome="not_sent", object_type="integration")


def test_new_customer_is_audited(env: Environment) -> None:
    env.send(
        env.new_link_url(), end_user_id="new-1", end_user_name="New Ltd", access_token="access-1", item_id="item-1"
    )

    assert AuditEvent.objects.get(action="end_user.created").object_id == str(EndUser.objects.get(name="New Ltd").pk)


def test_operation_with_a_submitted_code_is_not_shown_as_rejected(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    asked = env.last_operation(link)
    env.send(f"/links/{link.pk}/code/", code="111111")

    page = env.open(asked.get_absolute_url())

    assert "The code was entered" in page.words
    assert "refused" not in page.words
    assert "Start over" not in page.words


def test_successful_response_about_a_broken_link_repairs_nothing(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="lost_before")
    operation = env.last_operation(link)
    Operation.objects.filter(pk=operation.pk).update(state=State.SENDING)
    operation.refresh_from_db()
    still = RemoteLink(link.remote_id, Observation(Cause.LOGIN_REFUSED, raw_status="invalid"))

    outcomes.record_outcome(operation, still, duration_ms=1)

    operation.refresh_from_db()
    link.refresh_from_db()
    assert (operation.state, operation.outcome, link.verifying_since) == (State.REJECTED, "NotRepaired", None)


def test_sign_in_that_the_records_show_rejected_counts(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    link = env.belvo_link()
    for _each in range(6):
        env.call_belvo("PUT", f"/api/links/{link.remote_id}/", {"password": "pass_invalid"})
    env.send(f"/links/{link.pk}/credentials/", password="lost_before")

    tasks.reconcile_one(str(env.last_operation(link).pk))

    assert env.last_operation(link).state == State.CONFIRMED_NOT_DONE
    assert budget_of(link).rejected == 1


def test_code_submitted_at_the_last_moment_is_not_expired(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")
    env.send(f"/links/{link.pk}/code/", code="111111")

    reconcile.close_overdue(now=timezone.now() + timedelta(hours=1))

    link.refresh_from_db()
    assert link.cause != Cause.CODE_TOO_LATE.value
    assert link.is_verifying


def test_manual_decision_is_audited(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="lost_before")
    operation = env.last_operation(link)
    Operation.objects.filter(pk=operation.pk).update(state=State.NEEDS_DECISION)

    env.post(f"{operation.get_absolute_url()}decide/", {"outcome": "not_done", "note": "Called the bank"}, "mia")

    assert AuditEvent.objects.get(action__endswith=".resolved").details == {"decided": "not_done"}
    assert budget_of(link).rejected == 1
