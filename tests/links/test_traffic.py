"""The gate that every call passes: pauses, places and repeats, kept in rows for all processes together."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from linkadmin.links.connections import client_for
from linkadmin.links.models import CallPlace, CallQuota, Integration
from linkadmin.providers.admission import AttemptResult, Denial
from tests.providers.conftest import reply

from .conftest import GOOD, LINK, SILENCE, Serve, at_once, failed, gate_of, is_let_in, read, traffic_of, update

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


class TestPause:
    def test_begins_after_five_failures_in_a_row(self, belvo: Integration, serve: Serve) -> None:
        script = serve(SILENCE)
        failed(update, belvo, times=5)

        assert failed(update, belvo) == "paused"
        assert len(script.received) == 5

    def test_begins_when_half_of_the_last_twenty_failed(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE)
        traffic_of(belvo, recent="x." * 9 + ".")

        failed(update, belvo)

        assert failed(update, belvo) == "paused"

    def test_does_not_begin_on_half_of_a_few(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE, GOOD)
        traffic_of(belvo, recent="x.x.x.x.x.x.")

        failed(update, belvo)

        assert update(belvo)

    @pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 422, 428, 429])
    def test_does_not_begin_because_of_answers(self, belvo: Integration, serve: Serve, status: int) -> None:
        script = serve(reply(status, []))

        for _each in range(6):
            failed(update, belvo)
            Integration.objects.update(key_state=Integration.KeyState.GOOD)
            CallQuota.objects.all().delete()

        assert len(script.received) == 6

    def test_is_not_lengthened_by_calls_that_are_held_back(self, belvo: Integration, serve: Serve) -> None:
        script = serve(GOOD)
        before = traffic_of(belvo, failures=5, paused_until=timezone.now() + timedelta(seconds=20))

        failed(read, belvo, times=3)

        assert traffic_of(belvo).paused_until == before.paused_until
        assert script.received == []

    def test_ends_with_one_good_call(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        traffic_of(belvo, failures=5, recent="xxxxx", paused_until=timezone.now())

        read(belvo)

        traffic = traffic_of(belvo)
        assert (traffic.paused_until, traffic.probe_until, traffic.failures, traffic.recent) == (None, None, 0, "")

    def test_lets_one_call_at_a_time_find_out(self, belvo: Integration) -> None:
        traffic_of(belvo, failures=5, paused_until=timezone.now())
        first = gate_of(belvo).enter("read_link", seconds=15)

        second = gate_of(belvo).enter("read_link", seconds=15)

        assert not isinstance(first, Denial)
        assert isinstance(second, Denial)
        assert second.reason == "paused"
        first.leave(AttemptResult())
        assert not isinstance(gate_of(belvo).enter("read_link", seconds=15), Denial)

    @pytest.mark.usefixtures("still")
    def test_begins_anew_when_that_call_fails(self, belvo: Integration, serve: Serve) -> None:
        serve(SILENCE)
        traffic_of(belvo, failures=5, paused_until=timezone.now())

        failed(update, belvo)

        traffic = traffic_of(belvo)
        assert traffic.paused_until == timezone.now() + timedelta(seconds=30)
        assert traffic.probe_until is None

    def test_is_found_out_by_another_call_when_the_first_was_killed(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        traffic_of(belvo, failures=5, paused_until=timezone.now(), probe_until=timezone.now())

        assert read(belvo)

    def test_is_not_ended_by_a_call_that_began_before_it(self, belvo: Integration) -> None:
        early = gate_of(belvo).enter("read_link", seconds=15)
        traffic_of(belvo, failures=5, paused_until=timezone.now() + timedelta(seconds=30))

        assert not isinstance(early, Denial)
        early.leave(AttemptResult())

        assert isinstance(gate_of(belvo).enter("read_link", seconds=15), Denial)


class TestPlaces:
    def test_are_eight_for_all_processes_together(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("linkadmin.links.traffic.PLACE_WAIT_SECONDS", 0.05)

        let = at_once(16, lambda: gate_of(belvo).enter("read_link", seconds=15))

        assert [isinstance(each, Denial) for each in let].count(False) == 8
        assert CallPlace.objects.count() == 8

    def test_are_handed_on_to_those_who_wait_in_the_background(
        self, belvo: Integration, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("linkadmin.links.traffic.PLACE_WAIT_SECONDS", 30.0)
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1

        assert at_once(6, lambda: is_let_in(belvo, in_background=True)) == [True] * 6

    @pytest.mark.parametrize("in_background", [True, False])
    def test_are_waited_for_in_the_background_alone(
        self, belvo: Integration, settings: Settings, monkeypatch: pytest.MonkeyPatch, in_background: bool
    ) -> None:
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1
        monkeypatch.setattr("linkadmin.links.traffic.PLACE_WAIT_SECONDS", 30.0)
        monkeypatch.setattr("linkadmin.links.traffic.time.sleep", lambda _seconds: CallPlace.objects.all().delete())
        gate_of(belvo).enter("read_link", seconds=15)

        assert is_let_in(belvo, in_background=in_background) is in_background

    def test_of_a_killed_process_come_back(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        for _each in range(8):
            belvo.places.create(call="read_link", lease_until=timezone.now())

        assert read(belvo)
        assert not CallPlace.objects.exists()

    def test_of_the_longest_call_are_held_for_a_process_whose_clock_is_a_little_behind(
        self, belvo: Integration, settings: Settings
    ) -> None:
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 1

        with time_machine.travel(timezone.now() + timedelta(seconds=5)):
            gate_of(belvo).enter("create_link", seconds=settings.PROVIDER_CREDENTIALS_SECONDS)

        assert not is_let_in(belvo)
        assert CallPlace.objects.count() == 1

    @pytest.mark.usefixtures("still")
    def test_are_held_as_long_as_the_call_may_take_and_then_some(self, belvo: Integration) -> None:
        gate_of(belvo).enter("submit_token", seconds=310)

        place = CallPlace.objects.get()
        assert place.call == "submit_token"
        assert place.lease_until == timezone.now() + timedelta(seconds=340)

    def test_stay_the_same_while_a_read_is_repeated(self, belvo: Integration, serve: Serve) -> None:
        seen: list[int] = []

        def behave(connection: object) -> None:
            seen.append(CallPlace.objects.count())
            connections.close_all()

        serve(behave)
        failed(read, belvo)

        assert seen == [1, 1, 1]


class TestRepeats:
    def test_are_not_made_once_another_call_found_the_keys_refused(self, belvo: Integration, serve: Serve) -> None:
        def behave(connection: object) -> None:
            Integration.objects.update(key_state=Integration.KeyState.REFUSED)
            connections.close_all()

        script = serve(behave, GOOD)

        failed(read, belvo)

        assert len(script.received) == 1

    def test_are_made_however_many_came_before(self, belvo: Integration, serve: Serve) -> None:
        script = serve(*[SILENCE, GOOD, GOOD] * 13)

        for _each in range(26):
            read(belvo)

        assert len(script.received) == 39

    def test_stop_where_the_pause_begins(self, belvo: Integration, serve: Serve) -> None:
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

        assert failed(read, belvo) == "keys_refused"
        belvo.refresh_from_db()
        assert (belvo.keys_refused, belvo.keys_retry_at is None) == (True, lasts)
        assert len(script.received) == 1

    def test_may_be_tried_by_hand(self, belvo: Integration, serve: Serve) -> None:
        serve(reply(403, b"<html>"), reply(200, {"count": 1, "next": None, "previous": None, "results": []}), GOOD)
        failed(read, belvo)

        client_for(belvo, by_hand=True).test_connection()
        Integration.objects.update(key_state=Integration.KeyState.GOOD)

        assert read(belvo)


class TestBooks:
    def test_that_cannot_be_kept_cost_no_answer(self, belvo: Integration, serve: Serve) -> None:
        def lose_the_row(line: object) -> None:
            Integration.objects.filter(pk=belvo.pk).delete()
            connections.close_all()
            GOOD(line)  # type: ignore[arg-type]

        serve(lose_the_row)

        assert read(belvo).remote_id == LINK.remote_id

    def test_hold_no_connection_while_the_call_runs(self, belvo: Integration, serve: Serve) -> None:
        ours, held = connections["default"], []

        def behave(line: object) -> None:
            held.append(ours.connection is not None)
            GOOD(line)  # type: ignore[arg-type]

        serve(behave)
        read(belvo)

        assert held == [False]

    def test_are_never_kept_within_a_transaction(self, belvo: Integration, serve: Serve) -> None:
        script = serve(GOOD)

        with pytest.raises(RuntimeError), transaction.atomic():
            read(belvo)

        assert not connection.in_atomic_block
        assert script.received == []
