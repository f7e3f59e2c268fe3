"""How an operation ends without a response: by time, by records, or by a person."""

import contextlib
import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.operations.models import Operation, OperationKind, PendingChallenge, State
from linkadmin.providers.types import HealthState
from tests.environment import Environment
from tests.markup import Page
from tests.slowness import SlowProvider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def lost(env: Environment, password: str = "lost_before", link: Link | None = None) -> Operation:
    """An operation without a response."""
    link = link or env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password=password)
    return env.last_operation(link)


def undecided(env: Environment) -> Operation:
    operation = lost(env)
    Operation.objects.filter(pk=operation.pk).update(state=State.NEEDS_DECISION)
    return env.last_operation()


def decide(env: Environment, operation: Operation, name: str = "mia", **said: str) -> Page:
    typed = {"outcome": "done", "note": "The customer sees the new login at the bank."}
    return env.post(f"{operation.get_absolute_url()}decide/", typed | said, name)


def woken() -> list[tuple[str, str]]:
    """Take the messages for workers, and return their tasks and rows."""
    taken = []
    with (
        current_app.connection_for_read() as connection,
        connection.SimpleQueue("celery") as queue,
        contextlib.suppress(queue.Empty),
    ):
        while True:
            message = queue.get(block=False)
            message.ack()
            taken.append((str(message.headers["task"]), "".join(message.payload[0])))
    return taken


def test_request_whose_process_died_is_unknown_and_never_resent(env: Environment, slow: SlowProvider) -> None:
    operation = lost(env, "slow_1")
    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    tasks.close_overdue()
    slow.answers()
    env.settled()

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.UNKNOWN, "process_died")
    assert len(env.calls("PUT")) == 1


def test_intent_that_was_never_sent_is_canceled(env: Environment) -> None:
    link = env.belvo_link()
    operation = Operation.objects.create(
        kind=OperationKind.UPDATE_CREDENTIALS,
        integration=link.integration,
        link=link,
        end_user=link.end_user,
        actor=env.people["ana"],
        operation_key=uuid.uuid4(),
        created_at=timezone.now() - timedelta(seconds=61),
    )

    tasks.close_overdue()

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.CANCELED, "never_sent")


def test_what_is_not_overdue_is_left_alone(env: Environment) -> None:
    link = env.belvo_link()
    env.send(f"/links/{link.pk}/credentials/", password="pass_mfa")

    tasks.close_overdue()

    assert env.last_operation(link).state == State.NEEDS_CODE
    assert PendingChallenge.objects.count() == 1


def test_lost_response_is_checked_by_a_worker(env: Environment) -> None:
    operation = lost(env)

    tasks.wake_due()

    assert ("operations.reconcile", str(operation.pk)) in woken()


def test_two_workers_do_not_read_twice(env: Environment) -> None:
    operation = lost(env)

    tasks.reconcile_one(str(operation.pk))
    tasks.reconcile_one(str(operation.pk))

    assert len(env.calls("GET", "/api/links/")) == 1


def test_link_still_rejected_was_not_repaired_once_the_proof_time_has_passed(
    env: Environment, settings: Settings
) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    operation = lost(env)
    assert operation.link is not None
    env.simulator.store.belvo_links[operation.link.remote_id].status = "invalid"

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.CONFIRMED_NOT_DONE, "still_refused")
    assert "It didn't happen" in env.open(operation.get_absolute_url()).words


def test_old_good_data_proves_nothing(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    link = env.belvo_link()
    env.post(f"/links/{link.pk}/refresh/")
    operation = lost(env, link=link)

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN


def test_lost_code_request_is_closed_and_no_repair(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    operation = lost(env)
    assert operation.link is not None
    env.simulator.store.belvo_links[operation.link.remote_id].status = "token_required"

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    operation.link.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.EXPIRED, "code_request_lost")
    assert not operation.link.is_verifying
    assert operation.link.health == HealthState.CUSTOMER_CODE.value


def test_new_link_whose_code_request_was_lost_is_listed(env: Environment, settings: Settings) -> None:
    settings.RECONCILE_SETTLED_SECONDS = 0
    typed = {"end_user_id": "cus-1", "end_user_name": "Ivy Long", "username": "ivy", "password": "lost_after"}
    env.send(env.new_link_url("erebor_mx_retail"), **typed)
    (remote,) = env.simulator.store.belvo_links.values()
    remote.status = "unconfirmed"

    tasks.reconcile_one(str(env.last_operation().pk))

    operation = env.last_operation()
    assert (operation.state, operation.outcome) == (State.EXPIRED, "code_request_lost")
    assert operation.link is not None
    assert operation.link.remote_id == remote.id


def test_unproven_outcome_needs_a_person(env: Environment, settings: Settings) -> None:
    operation = lost(env)
    settings.OPERATION_UNDECIDED_SECONDS = 0

    tasks.reconcile_one(str(operation.pk))

    operation.refresh_from_db()
    assert (operation.state, operation.outcome) == (State.NEEDS_DECISION, "no_proof")
    assert "Needs a decision" in env.open(operation.get_absolute_url()).words


def test_unreachable_provider_ends_in_a_manual_decision(env: Environment, settings: Settings) -> None:
    operation = lost(env)
    Integration.objects.update(base_url="http://127.0.0.1:9")
    tasks.reconcile_one(str(operation.pk))
    assert env.last_operation().state == State.UNKNOWN

    settings.OPERATION_UNDECIDED_SECONDS = 0
    Operation.objects.update(check_at=timezone.now())
    tasks.reconcile_one(str(operation.pk))

    assert env.last_operation().state == State.NEEDS_DECISION


def test_unknown_outcome_blocks_another_attempt(env: Environment) -> None:
    operation = lost(env)
    assert operation.link is not None
    values = {"operation_key": str(uuid.uuid4()), "password": "pass_valid"}

    page = env.post(f"/links/{operation.link.pk}/credentials/", values, "ben")

    assert page.status == 409
    assert len(env.calls("PUT")) == 1


def test_check_now_reads_at_once(env: Environment) -> None:
    operation = lost(env, "lost_after")
    tasks.reconcile_one(str(operation.pk))
    other = lost(env, "lost_after", link=env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail"))

    answer = env.post(f"{other.get_absolute_url()}check/", name="mia")

    other.refresh_from_db()
    assert other.state == State.CONFIRMED_DONE
    assert other.link is not None
    assert answer.location == other.link.get_absolute_url()


def test_repeated_clicks_check_once(env: Environment) -> None:
    operation = lost(env, "lost_before")
    reads = len(env.calls("GET", "/api/links/"))

    for _click in range(3):
        env.post(f"{operation.get_absolute_url()}check/", name="mia")
        env.settled()

    assert len(env.calls("GET", "/api/links/")) == reads + 1


@pytest.mark.parametrize(("outcome", "state"), [("done", State.CONFIRMED_DONE), ("not_done", State.CONFIRMED_NOT_DONE)])
def test_manager_resolves_with_a_note(env: Environment, outcome: str, state: State) -> None:
    operation = undecided(env)

    answer = decide(env, operation, outcome=outcome)

    operation.refresh_from_db()
    assert answer.status == 303
    assert (operation.state, operation.outcome) == (state, "decided")
    assert (operation.decided_by, operation.note) == (
        env.people["mia"],
        "The customer sees the new login at the bank.",
    )
    assert AuditEvent.objects.filter(action="operation.update_credentials.resolved", actor="mia").exists()


def test_decision_needs_a_note(env: Environment) -> None:
    operation = undecided(env)

    page = decide(env, operation, note=" ")

    assert page.status == 422
    assert page.error_at("note") == "This field is required."


def test_nobody_resolves_their_own_operation(env: Environment) -> None:
    operation = undecided(env)
    Operation.objects.update(actor=env.people["mia"])

    page = decide(env, operation)

    operation.refresh_from_db()
    assert page.status == 409
    assert "someone else has to resolve it" in page.words
    assert operation.state == State.NEEDS_DECISION


def test_decision_is_made_once(env: Environment) -> None:
    operation = undecided(env)
    decide(env, operation)

    page = decide(env, operation, outcome="not_done")

    operation.refresh_from_db()
    assert page.status == 409
    assert operation.state == State.CONFIRMED_DONE


def test_resolution_form_needs_the_right(env: Environment) -> None:
    url = undecided(env).get_absolute_url()

    assert "outcome" in env.open(url, "mia").inputs()
    assert "outcome" not in env.open(url, "ana").inputs()
    assert "outcome" not in env.open(url, "aud").inputs()


def test_manually_confirmed_repair_is_still_verified(env: Environment) -> None:
    operation = undecided(env)

    decide(env, operation)

    assert operation.link is not None
    operation.link.refresh_from_db()
    assert operation.link.is_verifying
