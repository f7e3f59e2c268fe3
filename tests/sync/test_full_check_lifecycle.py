"""A full check reads each page once and ends: held back, failing, killed, duplicated or overtaken."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import CallQuota, Integration
from linkadmin.links.models import Link
from linkadmin.operations import reading, refusals
from linkadmin.providers.belvo import provider as belvo
from linkadmin.providers.types import Cause, HealthState, Secret
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.sync import full_checks, tasks
from linkadmin.sync.full_checks import lifecycle, lists, worker
from linkadmin.sync.models import FullCheck, FullCheckBatch, FullCheckState
from tests.environment import Environment
from tests.sync.full_checking import (
    completed_full_check,
    end_pauses,
    full_check,
    generated_links,
    kill_workers,
    read_one,
    run_to_end,
    work,
)

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

PAGE = 20


@pytest.fixture
def patient(settings: Any) -> None:
    """Never let failures open the circuit breaker."""
    settings.BREAKER_FAILURES_IN_A_ROW = 1000


@pytest.fixture
def small_env(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """An environment with a hundred links per provider, on five pages."""
    monkeypatch.setattr(belvo, "_LONGEST_PAGE", PAGE)
    with generated_links(100) as env:
        yield env


def pages_asked_for(env: Environment) -> list[str]:
    return [call.query["page"] for call in env.calls("GET", "/api/links/")]


def use_up(integration: Integration, *, used: int) -> None:
    ends_at = timezone.now() + timedelta(seconds=20)
    window = {"calls": 40, "used": used, "window_ends_at": ends_at}
    CallQuota.objects.update_or_create(integration=integration, scope="", defaults=window)


def test_every_page_is_asked_for_once(small_env: Environment) -> None:
    completed_full_check(small_env.belvo)

    assert sorted(pages_asked_for(small_env)) == ["1", "2", "3", "4", "5"]


def test_second_begin_gets_the_running_full_check(env: Environment) -> None:
    first = full_checks.start(env.belvo)

    assert full_checks.start(env.belvo, started_by=env.people["adm"]) == first
    assert FullCheck.objects.count() == 1


def test_schedule_begins_what_is_due_and_no_sooner(env: Environment) -> None:
    tasks.wake_full_checks()
    assert {each.integration for each in FullCheck.objects.all()} == {env.belvo, env.heron}

    run_to_end(env.belvo.full_checks.get())
    tasks.wake_full_checks()
    assert env.belvo.full_checks.count() == 1

    env.belvo.full_checks.update(started_at=timezone.now() - timedelta(minutes=16))
    tasks.wake_full_checks()
    assert env.belvo.full_checks.count() == 2


def test_inactive_or_rejected_integration_gets_no_full_check(env: Environment) -> None:
    Integration.objects.filter(pk=env.belvo.pk).update(is_active=False)
    Integration.objects.filter(pk=env.heron.pk).update(key_state=Integration.KeyState.REJECTED)

    tasks.wake_full_checks()

    assert not FullCheck.objects.exists()
    env.belvo.refresh_from_db()
    with pytest.raises(refusals.IntegrationOff):
        full_checks.start(env.belvo)


def test_worker_that_lost_its_claim_makes_no_further_call(small_env: Environment) -> None:
    full_checks.start(small_env.belvo)
    lost = lifecycle.claim_check(small_env.belvo.full_checks.get().pk)
    assert lost is not None
    lost.lease_until = timezone.now()
    FullCheck.objects.update(lease_until=timezone.now() + timedelta(minutes=1), claim_token=uuid4())

    assert not lifecycle.extend_claim(lost)


def test_full_check_waits_while_the_rest_of_a_quota_is_reserved(small_env: Environment) -> None:
    use_up(small_env.belvo, used=34)

    started = work(full_checks.start(small_env.belvo))

    assert len(pages_asked_for(small_env)) == 2
    assert started.is_running
    assert started.due_at > timezone.now()
    assert "We've used up the provider's rate limit for now." in started.note
    assert sorted(part.attempts for part in started.parts.all()) == [0, 0, 0, 1, 1]
    assert started.pk not in set(full_checks.waiting(now=timezone.now()))
    assert started.pk in set(full_checks.waiting(now=started.due_at))


def test_full_check_that_waited_continues_where_it_was(small_env: Environment) -> None:
    use_up(small_env.belvo, used=35)
    started = work(full_checks.start(small_env.belvo))
    CallQuota.objects.update(window_ends_at=timezone.now())

    end_pauses(started)
    run_to_end(started)

    assert (started.state, started.seen, started.note) == (FullCheckState.DONE, 100, "")
    assert sorted(pages_asked_for(small_env)) == ["1", "2", "3", "4", "5"]
    assert {part.attempts for part in started.parts.all()} == {1}


@pytest.mark.thorough
def test_quotas_hold_by_the_provider_s_own_count(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belvo, "_LONGEST_PAGE", 1)
    with generated_links(60, SimulatorSettings(belvo_limit=80, heron_limit=40)) as env:
        for integration in (env.belvo, env.heron):
            work(full_checks.start(integration))

        assert env.simulator.refused() == {}
        assert max(env.simulator.peak().values()) > 24


def test_rejected_keys_fail_a_full_check_and_change_no_link(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REFUSED)
    store_secret(env.belvo, "secret_password", Secret("wrong"))

    done = full_check(env.belvo)

    link.refresh_from_db()
    env.belvo.refresh_from_db()
    assert (done.state, link.health) == (FullCheckState.FAILED, HealthState.CUSTOMER_LOGIN.value)
    assert "The provider rejected our API keys" in done.note
    assert env.belvo.keys_rejected
    assert env.belvo.last_full_check_at is None


def test_page_that_fails_is_read_again_later(small_env: Environment) -> None:
    small_env.simulator.fail("GET", "/api/links/", "service_unavailable", times=4)
    started = work(full_checks.start(small_env.belvo))

    first = started.parts.get(key="1")
    assert (first.attempts, started.is_running) == (1, True)
    assert first.due_at > timezone.now() + timedelta(seconds=2)
    assert run_to_end(started).state == FullCheckState.DONE


def test_page_that_never_comes_ends_the_full_check(env: Environment, patient: None) -> None:
    env.simulator.fail("GET", "/api/links/", "html_200", times=100)

    done = full_check(env.belvo)

    assert done.state == FullCheckState.FAILED
    assert "No usable response." in done.note
    assert len(env.calls("GET", "/api/links/")) == lifecycle.MAX_TRIES


def test_customer_who_cannot_be_read_is_left_out(env: Environment, patient: None) -> None:
    odd = env.heron_link("Odd", item_id="item-odd")
    env.simulator.fail("GET", "/api/integrations/", "html_200", times=lifecycle.MAX_TRIES)

    done = full_check(env.heron)

    odd.refresh_from_db()
    assert (done.state, done.unread, done.missing) == (FullCheckState.DONE, 1, 0)
    assert (odd.health, odd.check_failed) == (HealthState.HEALTHY.value, "unreadable")


def test_killed_worker_s_pages_come_back(small_env: Environment) -> None:
    started = full_checks.start(small_env.belvo)
    read_one(started)
    lifecycle.claim_parts(started.pk, limit=2)  # and dies

    work(started)
    assert (started.is_running, started.seen) == (True, 60)

    kill_workers(started)
    run_to_end(started)
    assert (started.state, started.seen, started.found) == (FullCheckState.DONE, 100, 100)


def test_duplicate_tasks_do_nothing_twice(small_env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "CLAIM_LEASE", timedelta(0))  # so that all of them are let in
    monkeypatch.setattr(worker, "CALLS_AT_ONCE", 1)
    started = full_checks.start(small_env.belvo)

    def work_in_thread() -> None:
        try:
            full_checks.work(started.pk)
        finally:
            release_connections()

    workers = [threading.Thread(target=work_in_thread) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    run_to_end(started)
    assert (started.state, started.seen, started.found) == (FullCheckState.DONE, 100, 100)
    assert sorted(pages_asked_for(small_env)) == ["1", "2", "3", "4", "5"]


def test_one_worker_at_a_time_is_at_a_full_check(small_env: Environment) -> None:
    started = full_checks.start(small_env.belvo)
    lifecycle.claim_check(started.pk)

    work(started)

    assert pages_asked_for(small_env) == []
    assert started.pk not in set(full_checks.waiting(now=timezone.now()))


def test_stopped_full_check_makes_no_more_calls(small_env: Environment) -> None:
    started = full_checks.start(small_env.belvo)
    read_one(started)

    full_checks.stop(started, by=small_env.people["adm"])
    work(started)

    assert (started.state, started.seen) == (FullCheckState.STOPPED, 20)
    assert pages_asked_for(small_env) == ["1"]
    assert small_env.belvo.last_full_check_at is None


def test_link_that_came_while_the_list_was_read_is_found(small_env: Environment) -> None:
    started = full_checks.start(small_env.belvo)
    for _page in range(4):
        read_one(started)
    new = small_env.belvo_link()
    Link.objects.filter(pk=new.pk).delete()

    run_to_end(started)

    assert (started.state, started.found) == (FullCheckState.DONE, 101)
    assert sorted(pages_asked_for(small_env)) == ["1", "1", "2", "3", "4", "5", "6", "6"]


def test_list_that_gets_shorter_meanwhile_comes_to_an_end(small_env: Environment) -> None:
    started = full_checks.start(small_env.belvo)
    read_one(started)
    for link in list(small_env.simulator.store.belvo_links.values())[:25]:
        small_env.simulator.store.remove_belvo_link(link.id)

    run_to_end(started)

    assert started.state == FullCheckState.DONE
    assert started.seen <= 95


def test_page_of_a_worker_that_counted_as_dead_is_dropped(small_env: Environment) -> None:
    completed_full_check(small_env.belvo)
    started = full_checks.start(small_env.belvo)
    (stale,) = lifecycle.claim_parts(started.pk, limit=1)
    kill_workers(started)
    run_to_end(started)

    assert lifecycle.note_answer(stale, b"", requested_at=timezone.now(), total=1) is False


def test_read_that_is_newer_than_a_page_stays(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REFUSED)
    completed_full_check(env.belvo)
    original = lists.take_page

    def overtaken(*args: object) -> None:
        """Let the link break, and be read, between a page's answer and our work on it."""
        env.simulator.store.belvo_links[link.remote_id].status = "token_required"
        reading.read(Link.objects.get(pk=link.pk))
        original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(lists, "take_page", overtaken)
    completed_full_check(env.belvo)

    link.refresh_from_db()
    assert link.health == HealthState.CUSTOMER_CODE.value


def test_full_checks_that_never_complete_leave_no_batches(env: Environment) -> None:
    for _time in range(3):
        stopped = full_checks.start(env.belvo)
        full_checks.stop(stopped, by=env.people["adm"])

    assert [part.full_check for part in FullCheckBatch.objects.select_related("full_check")] == [stopped]
