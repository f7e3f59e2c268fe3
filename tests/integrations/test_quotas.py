"""Rate limits, counted across all processes."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.integrations import quotas
from linkadmin.integrations.models import CallQuota, CallSlot, Integration
from linkadmin.integrations.rate_limiter import free_slot, take_slot
from linkadmin.integrations.slots import Slot
from linkadmin.providers.errors import NotSent
from linkadmin.providers.http.admission import AttemptResult, Denial, Quota, Rate
from tests.environment import PASSWORD
from tests.providers.conftest import reply

from .conftest import GOOD, SILENCE, Serve, at_once, failed, is_admitted, limiter_of, read

pytestmark = pytest.mark.django_db(transaction=True)


class TestQuotas:
    def test_are_exact_for_all_processes_together(self, belvo: Integration) -> None:
        belvo.quotas.create(scope="read_link", calls=5, window_ends_at=timezone.now() + timedelta(seconds=30))

        assert at_once(12, lambda: is_admitted(belvo)).count(True) == 5
        assert CallQuota.objects.get(scope="read_link").used == 5

    @pytest.mark.usefixtures("still")
    def test_come_from_what_the_provider_documents(
        self, belvo: Integration, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(2, 30.0),))
        serve(GOOD)
        read(belvo)
        read(belvo)

        assert failed(read, belvo) == "quota"
        assert CallQuota.objects.get().window_ends_at == timezone.now() + timedelta(seconds=30)

    def test_hold_in_any_window(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(4, 30.0),))

        def calls(times: int) -> list[bool]:
            return [is_admitted(belvo) for _each in range(times)]

        with time_machine.travel(timezone.now(), tick=False) as clock:
            assert calls(2) == [True] * 2
            clock.shift(25)
            assert calls(3) == [True, True, False]
            clock.shift(10)  # the first two have left the window
            assert calls(3) == [True, True, False]
            clock.shift(40)
            assert calls(5) == [True] * 4 + [False]

    def test_hold_when_calls_leave_the_window_during_another(
        self, belvo: Integration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(4, 30.0),))

        with time_machine.travel(timezone.now(), tick=False) as clock:

            def count_later(windows: list[CallQuota]) -> None:
                clock.shift(1)
                count(windows)

            count = quotas.count
            assert [is_admitted(belvo) for _each in range(2)] == [True] * 2
            clock.shift(29.9)
            with monkeypatch.context() as patched:
                patched.setattr(quotas, "count", count_later)
                assert is_admitted(belvo)
            clock.shift(28)
            assert [is_admitted(belvo) for _each in range(4)] == [True] * 3 + [False]
            clock.shift(3)
            assert [is_admitted(belvo) for _each in range(2)] == [True, False]

    def test_hold_after_a_short_wait_that_the_provider_asked_for(
        self, belvo: Integration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(2, 30.0),))

        with time_machine.travel(timezone.now(), tick=False) as clock:
            assert is_admitted(belvo)
            permit = limiter_of(belvo).admit("read_link", seconds=15)
            assert not isinstance(permit, Denial)
            permit.release(AttemptResult(rate=Rate("", 1.0)))
            clock.shift(2)
            assert not is_admitted(belvo)
            clock.shift(30)
            assert is_admitted(belvo)

    def test_count_each_repeat(self, belvo: Integration, serve: Serve) -> None:
        belvo.quotas.create(scope="read_link", calls=2, window_ends_at=timezone.now() + timedelta(seconds=30))
        script = serve(SILENCE)

        failed(read, belvo)

        assert len(script.received) == 2

    def test_start_with_the_first_call_after_a_window(self, belvo: Integration, serve: Serve) -> None:
        serve(GOOD)
        belvo.quotas.create(scope="read_link", calls=2, used=2, reported=True, window_ends_at=timezone.now())

        read(belvo)

        quota = CallQuota.objects.get(scope="read_link")
        assert (quota.used, quota.calls) == (1, 2)
        assert quota.window_ends_at > timezone.now() + timedelta(seconds=50)

    def test_that_are_reported_win_and_forget_no_call_of_ours(self, belvo: Integration) -> None:
        belvo.quotas.create(scope="read_link", calls=9, used=7, window_ends_at=timezone.now() + timedelta(seconds=30))
        permit = limiter_of(belvo).admit("read_link", seconds=15)
        assert not isinstance(permit, Denial)

        permit.release(AttemptResult(rate=Rate("read_link", 20.0, calls=100, left=99)))

        quota = CallQuota.objects.get(scope="read_link")
        assert (quota.calls, quota.used, quota.reported) == (100, 8, True)

    def test_hold_calls_back_until_the_moment_an_answer_named(self, belvo: Integration, serve: Serve) -> None:
        script = serve(reply(429, [], Retry_After="40"))
        failed(read, belvo)

        with pytest.raises(NotSent) as caught:
            read(belvo)

        assert caught.value.failure.reason == "quota"
        assert caught.value.failure.retry_after is not None
        assert 38 < caught.value.failure.retry_after <= 40
        assert len(script.received) == 1

    def test_are_not_used_by_a_call_that_is_not_made(self, belvo: Integration) -> None:
        ana = User.objects.create_user(username="ana", password=PASSWORD, roles=Role.SUPPORT)
        belvo.quotas.create(scope="submit_code", calls=1, window_ends_at=timezone.now() + timedelta(seconds=30))
        slot = take_slot(belvo.pk, call="submit_code", seconds=310, person_id=ana.pk)

        assert isinstance(slot, Slot)
        free_slot(slot)

        assert CallQuota.objects.get(scope="submit_code").used == 0
        assert not CallSlot.objects.exists()
