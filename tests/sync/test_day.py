"""A simulated day at both providers: afterwards all pages are right, and nothing old replaced newer facts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import time_machine
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from linkadmin.integrations.models import Integration
from linkadmin.links import count_upkeep, counts
from linkadmin.links.causes import STATES
from linkadmin.links.models import HealthChange, Link, LinkRead
from linkadmin.providers.types import Cause, HealthState
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.sync import full_checks, tasks
from tests.environment import HERON_INTEGRATION, Environment
from tests.webhooks.webhook_sender import AUTHORIZATION, SECRET, open_endpoint

from .full_checking import generated_links, run_to_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough]

LINKS = 200  # of each provider
HOURS, SHARE_AN_HOUR = 24, 0.03
# What staff may be told for each status of the providers'; old data and consents are told apart from it.
AT_BELVO = {
    "valid": {HealthState.HEALTHY, HealthState.STALE, HealthState.CUSTOMER_CONSENT, HealthState.DISCONNECTED},
    "invalid": {HealthState.CUSTOMER_LOGIN, HealthState.DISCONNECTED},  # the latter: the login was kept for a time only
    "token_required": {HealthState.CUSTOMER_CODE},
    "unconfirmed": {HealthState.CUSTOMER_CODE, HealthState.SETTING_UP},
}
OVERRULED = {("valid", "EXPIRED"), ("valid", "REJECTED")}  # by the status of the link's consent
AT_HERON = {
    "active": {HealthState.HEALTHY, HealthState.STALE},
    "syncing": {HealthState.HEALTHY, HealthState.STALE, HealthState.SETTING_UP, HealthState.UNKNOWN},
    "pending": {HealthState.SETTING_UP, HealthState.UNKNOWN},
    "erroring": set(HealthState) - {HealthState.HEALTHY, HealthState.STALE},
    "sync_disabled": {HealthState.DISCONNECTED},
    "deleted_in_plaid": {HealthState.DISCONNECTED},
}


@pytest.fixture
def lively(live_server: LiveServer) -> Iterator[Environment]:
    """An environment whose providers have many changing links; webhooks arrive twice, in any order."""
    settings = SimulatorSettings(heron_limit=100_000, webhook_copies=2, webhook_shuffle=1, webhook_pace=0.0001)
    with generated_links(LINKS, settings) as env:
        belvo, heron = (live_server.url + open_endpoint(each) for each in (env.belvo, env.heron))
        env.simulator.webhooks(belvo_url=belvo, belvo_authorization=AUTHORIZATION, heron_secret=SECRET)
        for topic in ("integration_link.erroring", "data_source.enabled", "data_source.disabled"):
            env.call_heron("POST", "/api/webhooks", {"topic": topic, "url": heron, "is_enabled": True})
        yield env
        env.settled()


@contextmanager
def workers() -> Iterator[None]:
    """Run workers on deliveries and reads while full checks run beside them."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(0.05):
            work()
        connection.close()

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def work() -> None:
    tasks.process_deliveries()
    tasks.tick_seconds()
    tasks.tick_minutes()
    for integration in Integration.objects.all():
        tasks.read_due(str(integration.pk))


def full_check_all(env: Environment) -> None:
    for integration in (env.belvo, env.heron):
        assert not run_to_end(full_checks.start(integration)).is_running


def pass_an_hour(env: Environment, hour: int) -> None:
    """Let an hour pass at the providers and here, with the hourly work."""
    env.simulator.travel(hours=1, seed=hour, share=SHARE_AN_HOUR)
    with time_machine.travel(datetime.fromtimestamp(env.simulator.clock(), UTC)), workers():
        full_check_all(env)
        assert env.simulator.delivered()


def finish_work(env: Environment) -> None:
    """Process what's left, a quarter of an hour after the last change."""
    for minutes in (15, 30, 45):
        with time_machine.travel(datetime.fromtimestamp(env.simulator.clock() + 60 * minutes, UTC)):
            full_check_all(env)
            work()


def test_after_a_day_every_link_stands_as_at_its_provider(lively: Environment) -> None:
    full_check_all(lively)
    for hour in range(HOURS):
        pass_an_hour(lively, hour)
    finish_work(lively)

    assert not LinkRead.objects.filter(due_at__isnull=False).exists()
    check(lively, lively.belvo, lively.simulator.snapshot()["belvo"], AT_BELVO)
    check(lively, lively.heron, in_our_integration(lively), AT_HERON)
    check_history()
    counted = counts.in_environment("production")
    count_upkeep.recount()
    assert counts.in_environment("production") == counted


def in_our_integration(env: Environment) -> dict[str, tuple[str, str | None, str | None]]:
    snapshot = env.simulator.snapshot()["heron"]
    everything = env.simulator.store.heron_links.values()
    return {each.item_id: snapshot[each.item_id] for each in everything if each.integration == HERON_INTEGRATION}


def check(
    env: Environment,
    integration: Integration,
    snapshot: dict[str, tuple[str, str | None, str | None]],
    states: dict[str, set[HealthState]],
) -> None:
    """Check that we know the same links in the same state, and that a page shows it."""
    ours = {link.remote_id: link for link in integration.links.select_related("integration")}
    gone = {remote_id for remote_id, link in ours.items() if link.health == HealthState.DISCONNECTED}
    assert snapshot.keys() <= ours.keys()
    assert ours.keys() - snapshot.keys() <= gone
    wrong = {
        remote_id: (told, ours[remote_id].raw_status, ours[remote_id].health)
        for remote_id, told in snapshot.items()
        if not is_true(ours[remote_id], told, states)
    }
    assert not wrong
    for link in {link.health: link for link in ours.values()}.values():  # one of each
        assert str(STATES[HealthState(link.health)].label) in env.open(link.get_absolute_url()).words


def is_true(link: Link, told: tuple[str, str | None, str | None], states: dict[str, set[HealthState]]) -> bool:
    status, message, fetched = told
    same_status = link.raw_status == status or (status, link.raw_status) in OVERRULED
    same_words = not message or link.raw_words in message
    is_fresh = link.last_good_at is None or fetched is None or link.last_good_at >= datetime.fromisoformat(fetched)
    # Heron's list does not tell when data came in: a link that works is read before its data would count as old.
    is_fresh |= states is AT_HERON and link.health == HealthState.HEALTHY
    return same_status and same_words and HealthState(link.health) in states[status] and is_fresh


def check_history() -> None:
    """Check that each status change of a link is later than the one before."""
    by_link: dict[object, list[datetime]] = {}
    for link, at in HealthChange.objects.order_by("id").values_list("link", "at"):
        by_link.setdefault(link, []).append(at)
    assert sum(map(len, by_link.values())) > len(by_link) * 1.2, "hardly anything happened"
    assert all(later >= sooner for times in by_link.values() for sooner, later in pairwise(times))
    assert not Link.objects.filter(cause=Cause.UNRECOGNIZED).exists()
