"""Calls are admitted or denied: circuit breaker, slots and retries, across all processes."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations import slots
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import CallQuota, CallSlot, Integration
from linkadmin.integrations.rate_limiter import RateLimiter
from linkadmin.providers.http.admission import AttemptResult, Denial
from tests.providers.conftest import reply

from .conftest import GOOD, LINK, SILENCE, Serve, at_once, breaker_of, failed, is_admitted, limiter_of, read, update

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def call(limiter: RateLimiter) -> None:
    permit = limiter.admit("read_link", seconds=15)
    assert not isinstance(permit, Denial)
    permit.release(AttemptResult())


class TestCircuitBreaker:
    def test_opens_after_five_failures_in_a_row(self, belvo: Integration, serve: Serve) -> None:
        script = serve(SILENCE)
        failed(update, belvo, times=5)

        assert failed(update, belvo) == "paused"
        assert len(script.received) == 5

    def test_opens_when_half_of_the_last_twenty_failed(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE)
        breaker_of(belvo, recent="x." * 9 + ".")

        failed(update, belvo)

        assert failed(update, belvo) == "paused"

    def test_stays_closed_on_half_of_a_few(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE, GOOD)
        breaker_of(belvo, recent="x.x.x.x.x.x.")

        failed(update, belvo)

        assert update(belvo)

    @pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 422, 428, 429])
    def test_stays_closed_because_of_answers(self, belvo: Integration, serve: Serve, status: int) -> None:
        script = serve(reply(status, []))

        for _each in range(6):
            failed(update, belvo)
            Integration.objects.update(key_state=Integration.KeyState.VALID)
            CallQuota.objects.all().delete()

        assert len(script.received) == 6

    def test_is_not_open_longer_because_of_denied_calls(self, belvo: Integration, serve: Serve) -> None:
        script = serve(GOOD)
        before = breaker_of(belvo, failures=5, open_until=timezone.now() + timedelta(seconds=20))

        failed(read, belvo, times=3)

        assert breaker_of(belvo).open_until == before.open_until
        assert script.received == []

    def test_closes_with_one_good_call(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        breaker_of(belvo, failures=5, recent="xxxxx", open_until=timezone.now())

        read(belvo)

        breaker = breaker_of(belvo)
        assert (breaker.open_until, breaker.probe_until, breaker.failures, breaker.recent) == (None, None, 0, "")

    def test_lets_one_call_at_a_time_find_out(self, belvo: Integration) -> None:
        breaker_of(belvo, failures=5, open_until=timezone.now())
        first = limiter_of(belvo).admit("read_link", seconds=15)

        second = limiter_of(belvo).admit("read_link", seconds=15)

        assert not isinstance(first, Denial)
        assert isinstance(second, Denial)
        assert second.reason == "paused"
        first.release(AttemptResult())
        assert not isinstance(limiter_of(belvo).admit("read_link", seconds=15), Denial)

    @pytest.mark.usefixtures("still")
    def test_opens_again_when_that_call_fails(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE)
        breaker_of(belvo, failures=5, open_until=timezone.now())

        failed(update, belvo)

        breaker = breaker_of(belvo)
        assert breaker.open_until == timezone.now() + timedelta(seconds=30)
        assert breaker.probe_until is None

    def test_is_found_out_by_another_call_when_the_first_was_killed(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        breaker_of(belvo, failures=5, open_until=timezone.now(), probe_until=timezone.now())

        assert read(belvo)

    def test_is_not_closed_by_a_call_that_started_before_it_opened(self, belvo: Integration) -> None:
        early = limiter_of(belvo).admit("read_link", seconds=15)
        breaker_of(belvo, failures=5, open_until=timezone.now() + timedelta(seconds=30))

        assert not isinstance(early, Denial)
        early.release(AttemptResult())

        assert isinstance(limiter_of(belvo).admit("read_link", seconds=15), Denial)


class TestSlots:
    def test_are_eight_for_all_processes_together(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 0.05)

        let = at_once(16, lambda: limiter_of(belvo).admit("read_link", seconds=15))

        assert [isinstance(each, Denial) for each in let].count(False) == 8
        assert CallSlot.objects.count() == 8

    def test_are_handed_on_to_those_who_wait_in_the_background(
        self, belvo: Integration, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 30.0)
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1

        assert at_once(6, lambda: is_admitted(belvo, in_background=True)) == [True] * 6

    @pytest.mark.parametrize("in_background", [True, False])
    def test_are_waited_for_in_the_background_alone(
        self, belvo: Integration, settings: Settings, monkeypatch: pytest.MonkeyPatch, in_background: bool
    ) -> None:
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1
        monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 30.0)
        monkeypatch.setattr(
            "linkadmin.integrations.rate_limiter.time.sleep", lambda _seconds: CallSlot.objects.all().delete()
        )
        limiter_of(belvo).admit("read_link", seconds=15)

        assert is_admitted(belvo, in_background=in_background) is in_background

    def test_of_a_killed_process_come_back(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        for _each in range(8):
            belvo.slots.create(call="read_link", lease_until=timezone.now())

        assert read(belvo)
        assert not CallSlot.objects.exists()

    def test_of_the_longest_call_are_held_for_a_process_whose_clock_is_a_little_behind(
        self, belvo: Integration, settings: Settings
    ) -> None:
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1

        with time_machine.travel(timezone.now() + timedelta(seconds=5)):
            limiter_of(belvo).admit("create_link", seconds=settings.PROVIDER_CREDENTIALS_SECONDS)

        assert not is_admitted(belvo)
        assert CallSlot.objects.count() == 1

    @pytest.mark.usefixtures("still")
    def test_are_held_as_long_as_the_call_may_take_and_then_some(self, belvo: Integration) -> None:
        limiter_of(belvo).admit("submit_code", seconds=310)

        slot = CallSlot.objects.get()
        assert slot.call == "submit_code"
        assert slot.lease_until == timezone.now() + timedelta(seconds=340)

    def test_stay_the_same_while_a_read_is_retried(self, belvo: Integration, serve: Serve) -> None:
        seen: list[int] = []

        def behave(connection: object) -> None:
            seen.append(CallSlot.objects.count())
            connections.close_all()

        serve(behave)
        failed(read, belvo)

        assert seen == [1, 1, 1]


class TestRetries:
    def test_are_not_made_once_another_call_found_the_keys_rejected(self, belvo: Integration, serve: Serve) -> None:
        def behave(connection: object) -> None:
            Integration.objects.update(key_state=Integration.KeyState.REJECTED)
            connections.close_all()

        script = serve(behave, GOOD)

        failed(read, belvo)

        assert len(script.received) == 1

    def test_are_made_however_many_came_before(self, belvo: Integration, serve: Serve) -> None:
        script = serve(*[SILENCE, GOOD, GOOD] * 13)

        for _each in range(26):
            read(belvo)

        assert len(script.received) == 39

    def test_stop_where_the_breaker_opens(self, belvo: Integration, serve: Serve) -> None:
        script = serve(SILENCE)

        failed(read, belvo, times=3)

        assert len(script.received) == 5


class TestRefusedKeys:
    @pytest.mark.parametrize(("status", "lasts"), [(401, True), (403, False)])
    def test_stop_every_call_of_the_integration(
        self, belvo: Integration, serve: Serve, status: int, lasts: bool
    ) -> None:
        script = serve(reply(status, [{"code": "permission_denied"}]))
        failed(read, belvo)

        assert failed(read, belvo) == "keys_rejected"
        belvo.refresh_from_db()
        assert (belvo.keys_rejected, belvo.keys_retry_at is None) == (True, lasts)
        assert len(script.received) == 1

    def test_may_be_tried_by_hand(self, belvo: Integration, serve: Serve) -> None:
        serve(reply(403, b"<html>"), reply(200, {"count": 1, "next": None, "previous": None, "results": []}), GOOD)
        failed(read, belvo)

        client_for(belvo, by_hand=True).test_connection()
        Integration.objects.update(key_state=Integration.KeyState.VALID)

        assert read(belvo)


class TestRecords:
    def test_that_cannot_be_recorded_cost_no_response(self, belvo: Integration, serve: Serve) -> None:
        def lose_the_row(line: object) -> None:
            Integration.objects.filter(pk=belvo.pk).delete()
            connections.close_all()
            GOOD(line)  # type: ignore[arg-type]

        serve(lose_the_row)

        assert read(belvo).remote_id == LINK.remote_id

    def test_hold_no_connection_while_the_call_runs(self, belvo: Integration, serve: Serve) -> None:
        ours, held = connections["default"], []

        def behave(line: object) -> None:
            # SQLite has no pool to return it to.
            is_sqlite = ours.vendor == "sqlite"
            held.append(ours.connection.in_transaction if is_sqlite else ours.connection is not None)
            GOOD(line)  # type: ignore[arg-type]

        serve(behave)
        read(belvo)

        assert held == [False]

    def test_cost_few_statements_while_all_is_well(self, belvo: Integration) -> None:
        Integration.objects.update(key_state=Integration.KeyState.VALID)
        breaker_of(belvo, recent="." * 20)
        limiter = limiter_of(belvo)
        call(limiter)

        with CaptureQueriesContext(connection) as asked:
            call(limiter)

        made = [each["sql"].split()[0] for each in asked.captured_queries]
        lock = ["SELECT"] if connection.vendor == "postgresql" else []
        assert [verb for verb in made if verb not in ("BEGIN", "COMMIT")] == [
            *lock,
            "SELECT",  # keys, circuit breaker, rate limits, slots
            "INSERT",  # the slot
            "UPDATE",  # rate limits
            "DELETE",  # the slot, and whether the circuit breaker has to be told
        ]

    def test_of_a_call_recorded_before_cost_no_statement_at_its_end(self, belvo: Integration) -> None:
        with slots.using_slot(slots.Slot(belvo.pk)):
            permit = limiter_of(belvo).admit("read_link", seconds=15)
            assert not isinstance(permit, Denial)

            with CaptureQueriesContext(connection) as asked:
                permit.release(None)

        assert not asked.captured_queries

    def test_reset_the_circuit_breaker_after_another_call_failed(self, belvo: Integration) -> None:
        Integration.objects.update(key_state=Integration.KeyState.VALID)
        breaker_of(belvo, recent="." * 20)
        permit = limiter_of(belvo).admit("read_link", seconds=15)
        breaker_of(belvo, recent="." * 16 + "xxxx", failures=4)
        assert not isinstance(permit, Denial)

        permit.release(AttemptResult())

        breaker = belvo.circuit_breaker
        breaker.refresh_from_db()
        assert (breaker.failures, breaker.recent) == (0, "." * 15 + "xxxx.")
        assert not CallSlot.objects.exists()

    def test_are_never_admitted_within_a_transaction(self, belvo: Integration, serve: Serve) -> None:
        script = serve(GOOD)

        with pytest.raises(RuntimeError), transaction.atomic():
            read(belvo)

        assert not connection.in_atomic_block
        assert script.received == []
