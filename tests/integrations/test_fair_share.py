"""Background calls leave slots and a share of each rate limit to people."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import CallQuota, CallSlot, Integration
from linkadmin.integrations.rate_limiter import RateLimiter
from linkadmin.providers.errors import NotSent
from linkadmin.providers.http.admission import AttemptResult, Denial, Permit, Quota

from .conftest import GOOD, LINK, SILENCE, Serve, at_once, failed, limiter_of, read, update

pytestmark = pytest.mark.django_db(transaction=True)

HALF_A_MINUTE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _waits_no_moment_for_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 0.05)


@pytest.fixture
def heron() -> Integration:
    return Integration.objects.create(provider="heron", name="Heron test", base_url="http://127.0.0.1:9")


def background_limiter_of(belvo: Integration) -> RateLimiter:
    return RateLimiter(belvo.pk, in_background=True)


def read_in_background(belvo: Integration) -> object:
    return client_for(belvo, in_background=True).read_link(LINK)


def admit(limiter: RateLimiter, call: str = "read_link") -> Permit | Denial:
    return limiter.admit(call, seconds=15)


def admitted(limiter: RateLimiter, times: int, call: str = "read_link") -> int:
    """Start and end calls; return how many were admitted."""
    made = [admit(limiter, call) for _each in range(times)]
    permits = [permit for permit in made if not isinstance(permit, Denial)]
    for permit in permits:
        permit.release(AttemptResult())
    return len(permits)


def one_at_a_time(limiter: RateLimiter, times: int, call: str = "read_link") -> int:
    return sum(admitted(limiter, 1, call) for _each in range(times))


@pytest.fixture
def _unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.integrations.quotas.PACED", 1)


@pytest.mark.usefixtures("_unpaced")
class TestQuota:
    def test_is_used_to_nine_tenths_and_the_rest_is_there_for_a_person(
        self, belvo: Integration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(20, 30.0),))

        assert one_at_a_time(background_limiter_of(belvo), 20) == 18
        assert one_at_a_time(limiter_of(belvo), 20) == 2
        assert CallQuota.objects.get().used == 20

    def test_is_left_alone_once_people_used_that_much(self, belvo: Integration) -> None:
        belvo.quotas.create(scope="", calls=20, used=18, window_ends_at=timezone.now() + HALF_A_MINUTE)

        assert one_at_a_time(background_limiter_of(belvo), 1) == 0
        assert one_at_a_time(limiter_of(belvo), 1) == 1

    def test_says_when_the_window_ends_and_why_it_waits(self, belvo: Integration) -> None:
        ends_at = timezone.now() + HALF_A_MINUTE
        belvo.quotas.create(scope="", calls=20, used=18, window_ends_at=ends_at)

        with pytest.raises(NotSent) as caught:
            read_in_background(belvo)

        assert caught.value.failure.reason == "quota"
        assert caught.value.failure.retry_after is not None
        assert 28 < caught.value.failure.retry_after <= 30

    def test_of_one_call_is_there_for_either(self, belvo: Integration) -> None:
        belvo.quotas.create(scope="read_link", calls=1, window_ends_at=timezone.now() + HALF_A_MINUTE)

        assert one_at_a_time(background_limiter_of(belvo), 2) == 1

    def test_is_shared_exactly_by_many_in_the_background(
        self, belvo: Integration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 10.0)
        belvo.quotas.create(scope="read_link", calls=8, window_ends_at=timezone.now() + HALF_A_MINUTE)

        assert at_once(10, lambda: admitted(background_limiter_of(belvo), 1)).count(1) == 7

    def test_applies_to_retries_too(self, belvo: Integration, serve: Serve) -> None:
        belvo.quotas.create(scope="read_link", calls=4, window_ends_at=timezone.now() + HALF_A_MINUTE)
        script = serve(SILENCE)

        failed(read_in_background, belvo)

        assert len(script.received) == 3

    def test_is_not_started_by_a_retry_beyond_the_share(self, belvo: Integration, serve: Serve) -> None:
        belvo.quotas.create(scope="read_link", calls=4, used=2, window_ends_at=timezone.now() + HALF_A_MINUTE)
        script = serve(SILENCE)

        failed(read_in_background, belvo)

        assert len(script.received) == 1


class TestPace:
    """Background work spreads its calls, so that a person always finds some left."""

    def test_is_kept_within_each_eighth_of_a_window(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(80, 30.0),))
        monkeypatch.setattr("linkadmin.integrations.quotas.BACKGROUND_WAIT", 0.0)

        assert one_at_a_time(background_limiter_of(belvo), 12) == 9
        assert one_at_a_time(limiter_of(belvo), 30) == 30

    def test_waits_instead_of_being_refused(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(40, 1.0),))

        assert one_at_a_time(background_limiter_of(belvo), 12) == 12

    def test_never_refuses_a_person(self, belvo: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(belvo.provider_class, "quotas", (Quota(80, 3.0),))
        is_over = threading.Event()

        def sync() -> int:
            made = 0
            while not is_over.is_set():
                made += admitted(background_limiter_of(belvo), 1)
            connections.close_all()
            return made

        with ThreadPoolExecutor(3) as machines:
            syncs = [machines.submit(sync) for _each in range(3)]
            try:
                clicks = [one_at_a_time(limiter_of(belvo), 1) for _each in range(30)]
            finally:
                is_over.set()

        assert clicks == [1] * 30
        assert sum(each.result() for each in syncs) > 0


class TestEndpoint:
    def test_is_one_quota_for_all_calls_to_it(self, heron: Integration) -> None:
        heron.quotas.create(scope="read_link", calls=5, reported=True, window_ends_at=timezone.now() + HALF_A_MINUTE)

        assert one_at_a_time(limiter_of(heron), 2, "find_link") == 2
        assert one_at_a_time(limiter_of(heron), 2, "list_links_everywhere") == 2
        assert one_at_a_time(limiter_of(heron), 2, "read_link") == 1
        assert one_at_a_time(limiter_of(heron), 2, "read_links") == 2
        assert {row.scope: row.used for row in CallQuota.objects.all()} == {"read_link": 5, "list_links": 2}


class TestSlots:
    def test_are_taken_as_long_as_three_stay_free(self, belvo: Integration) -> None:
        assert [isinstance(admit(background_limiter_of(belvo)), Denial) for _each in range(7)] == [False] * 5 + [
            True
        ] * 2
        assert [isinstance(admit(limiter_of(belvo)), Denial) for _each in range(4)] == [False] * 3 + [True]
        assert CallSlot.objects.count() == 8

    def test_that_people_take_leave_fewer_to_the_background(self, belvo: Integration) -> None:
        for _each in range(4):
            admit(limiter_of(belvo))

        assert [isinstance(admit(background_limiter_of(belvo)), Denial) for _each in range(2)] == [False, True]

    def test_are_held_back_with_a_reason_and_nothing_is_sent(self, belvo: Integration, serve: Serve) -> None:
        script = serve(GOOD)
        for _each in range(5):
            admit(background_limiter_of(belvo))

        assert failed(read_in_background, belvo) == "no_slot"
        assert read(belvo)
        assert update(belvo)
        assert len(script.received) == 2

    def test_are_never_all_used_by_background_work(self, belvo: Integration, settings: Settings) -> None:
        settings.CALLS_AT_ONCE_PER_INTEGRATION = 2

        assert not isinstance(admit(background_limiter_of(belvo)), Denial)
        assert isinstance(admit(background_limiter_of(belvo)), Denial)
