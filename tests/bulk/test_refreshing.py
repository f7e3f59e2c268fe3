"""Status checks of many links: few requests, paused where needed, and a result for each row."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin import work_queue
from linkadmin.bulk import parts, tasks
from linkadmin.bulk.models import BulkJob, BulkPart
from linkadmin.database import release_connections
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration
from linkadmin.links import health
from linkadmin.links.models import EndUser, HealthChange, Link, LinkRead
from linkadmin.links.presentation import badge_of
from linkadmin.providers.types import Cause, HealthState
from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import Clock, Environment, build

from .helpers import completed, many, move, results, started_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

BATCHED = "/api/links/"  # Belvo's list, 100 links per request


@pytest.fixture
def crowded(db: None, clock: Clock) -> Iterator[Environment]:
    """An environment whose simulator has 240 generated links, all stored with their current status."""
    with Simulator(record=True, clock=clock, population=Population(7, 240, 0)) as simulator:
        env = build(simulator, clock)
        records = client_for(env.belvo).list_links({}, whole=True).items
        customers = EndUser.objects.bulk_create(EndUser(external_id=f"cus-{number}") for number in range(len(records)))
        links = [
            Link(integration=env.belvo, end_user=customer, remote_id=record.remote_id)
            for customer, record in zip(customers, records, strict=True)
        ]
        health.start_links(list(zip(links, records, strict=True)), at=timezone.now())
        yield env
        env.settled()


def reads(env: Environment) -> int:
    return len([call for call in env.calls("GET", BATCHED) if "id__in" in call.query])


def due_again(job: BulkJob) -> BulkJob:
    """Run a worker after all pauses are over."""
    CircuitBreaker.objects.update(failures=0, open_until=None, recent="")
    BulkPart.objects.filter(job=job, done_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
    return completed(job)


def test_links_are_checked_with_one_request(env: Environment) -> None:
    links = [env.belvo_link(name, cause=Cause.UNCONFIRMED) for name in ("Acme Corp", "Blue Fern", "Ninth Dental")]

    job = completed(started_job(env, "refresh", links))

    assert (job.state, results(job), reads(env)) == ("done", {"done": 3}, 1)
    assert {link.shown_state for link in Link.objects.all()} == {"healthy"}
    assert HealthChange.objects.filter(link__in=links, new="healthy").count() == 3
    assert not env.calls("PUT") + env.calls("PATCH")


def test_each_row_shows_the_status_before_and_after_the_check(env: Environment) -> None:
    works = env.belvo_link("Acme Corp", cause=Cause.UNCONFIRMED)
    stays = env.belvo_link("Blue Fern", cause=Cause.WORKING)
    gone = many(env.belvo, 1)[0]

    job = completed(started_job(env, "refresh", [works, stays, gone]))

    words = env.open(job.get_absolute_url()).words
    assert "1 changed. 2 with no change." in words
    found, left = badge_of(HealthState(works.health)).label, badge_of(HealthState.HEALTHY).label
    assert f"{found} → then {left}" in words
    assert f"No change {left}" in words
    assert f"No change {badge_of(HealthState(gone.health)).label} The provider's list didn't include it." in words


def test_restarted_check_keeps_the_status_before(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.UNCONFIRMED)
    job = started_job(env, "refresh", [link])
    abandoned = parts.claim(job, limit=1)
    env.prove(link)  # like a worker killed before it finished the part
    work_queue.release(abandoned)

    completed(job)

    assert job.items.values_list("before", "after").get()[1] == "healthy"
    assert "1 changed." in env.open(job.get_absolute_url()).words


def test_job_whose_links_all_failed_is_not_shown_as_a_success(env: Environment) -> None:
    job = started_job(env, "refresh", [env.belvo_link()])
    env.simulator.fail("GET", "/api/", "parse_error", times=99)

    completed(job)

    assert "tone-ok" not in env.open(job.get_absolute_url()).source.split("<main")[1]


def test_checks_240_links_with_three_requests(crowded: Environment) -> None:
    started_at = timezone.now()

    job = completed(started_job(crowded, "refresh", all="1"))

    assert (job.state, results(job), reads(crowded)) == ("done", {"done": 240}, 3)
    assert Link.objects.filter(checked_at__gte=started_at, check_failed="").count() == 240


def test_unlisted_link_gets_a_second_check(env: Environment) -> None:
    known, unknown = env.belvo_link(), *many(env.belvo, 1)

    job = completed(started_job(env, "refresh", [known, unknown]))

    assert results(job) == {"done": 2}
    assert "The provider's list didn't include it." in env.open(job.get_absolute_url()).words
    assert list(LinkRead.objects.values_list("link", "reason")) == [(unknown.pk, "missing")]


def test_links_of_a_paused_integration_wait_while_others_continue(env: Environment) -> None:
    waits, continues = env.belvo_link("Acme Corp"), env.heron_link("Blue Fern")
    until = timezone.now() + timedelta(minutes=5)
    CircuitBreaker.objects.update_or_create(integration=env.belvo, defaults={"failures": 5, "open_until": until})

    job = completed(started_job(env, "refresh", [waits, continues]))

    assert (job.state, results(job), reads(env)) == ("running", {"done": 1, "waiting": 1}, 0)
    words = env.open(job.get_absolute_url()).words
    assert "1 of 2" in words
    assert f"Requests to Belvo test are paused until {until:%H:%M:%S} UTC: 5 requests failed in a row." in words
    assert (due_again(job).state, results(job)) == ("done", {"done": 2})


def test_links_wait_for_the_quota_and_the_page_says_until_when(env: Environment) -> None:
    ends_at = timezone.now() + timedelta(seconds=30)
    job = started_job(env, "refresh", [env.belvo_link()])
    CallQuota.objects.update_or_create(
        integration=env.belvo, scope="", defaults={"calls": 40, "used": 36, "window_ends_at": ends_at}
    )

    completed(job)

    assert results(job) == {"waiting": 1}
    assert BulkPart.objects.get().attempts == 0
    words = env.open(job.get_absolute_url()).words
    assert "1 link will be checked at about" in words
    assert "the rest of the rate limit is reserved for requests by staff" in words


def test_links_wait_while_api_keys_are_rejected(env: Environment) -> None:
    link = env.belvo_link()
    job = started_job(env, "refresh", [link])
    env.simulator.fail("GET", "/api/", "authentication_failed")

    completed(job)

    assert results(job) == {"waiting": 1}
    assert "The provider is rejecting our API keys" in env.open(job.get_absolute_url()).words
    Integration.objects.update(key_state=Integration.KeyState.VALID)
    assert (due_again(job).state, results(job)) == ("done", {"done": 1})


def test_lost_connection_is_retried_and_then_fails_with_the_reason(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REFUSED)
    job = started_job(env, "refresh", [link])
    env.simulator.fail("GET", "/api/", "lost_before", times=99)

    tried = [results(due_again(job)) for _each in range(3)]

    assert tried == [{"waiting": 1}, {"waiting": 1}, {"failed": 1}]
    assert job.state == "done"
    page = env.open(f"{job.get_absolute_url()}?state=failed")
    assert "Failed The connection to the provider was lost." in page.words
    assert "1 failed." in page.words
    assert Link.objects.get().shown_state == "customer_login"


def test_rejection_by_the_provider_is_not_retried(env: Environment) -> None:
    job = started_job(env, "refresh", [env.belvo_link()])
    env.simulator.fail("GET", "/api/", "parse_error", times=99)

    completed(job)

    assert (job.state, results(job), reads(env)) == ("done", {"failed": 1}, 1)
    assert "The provider responded with the error “parse_error”." in env.open(job.get_absolute_url()).words


def test_links_of_a_deactivated_integration_are_skipped(env: Environment) -> None:
    job = started_job(env, "refresh", [env.belvo_link()])
    Integration.objects.update(is_active=False)

    completed(job)

    assert (job.state, results(job), reads(env)) == ("done", {"skipped": 1}, 0)


def test_check_of_a_killed_worker_is_repeated_after_its_lease(crowded: Environment) -> None:
    job = started_job(crowded, "refresh", all="1")
    [abandoned] = parts.claim(job, limit=1)

    completed(job)
    before = results(job)
    BulkPart.objects.filter(pk=abandoned.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.work_at(str(job.pk))

    job.refresh_from_db()
    assert before == {"waiting": 100, "done": 140}
    assert (job.state, results(job), reads(crowded)) == ("done", {"done": 240}, 3)


def test_workers_share_the_requests_of_a_job(crowded: Environment) -> None:
    job = started_job(crowded, "refresh", all="1")
    crowded.simulator.configure(SimulatorSettings(latency=100))

    def turn(_number: int) -> None:
        completed(job)
        release_connections()

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(turn, range(3)))
    job.refresh_from_db()

    assert (job.state, results(job), reads(crowded)) == ("done", {"done": 240}, 3)


def test_pause_takes_effect_between_requests(env: Environment, settings: Settings) -> None:
    settings.CALLS_AT_ONCE = 1
    job = started_job(env, "refresh", [env.heron_link(f"Customer {n}", item_id=f"item-{n}") for n in range(30)])
    env.simulator.configure(SimulatorSettings(latency=150))

    with ThreadPoolExecutor(1) as worker:
        turn = worker.submit(lambda: (completed(job), release_connections()))
        while not BulkPart.objects.filter(done_at__isnull=False).exists():
            time.sleep(0.02)
        move(env, job, "stop")
        turn.result(60)

    asked = len(env.calls("GET", "/api/integrations/"))
    assert asked < 30
    assert results(job) == {"done": asked, "waiting": 30 - asked}


def test_pages_of_jobs_never_call_a_provider(env: Environment) -> None:
    job = started_job(env, "refresh", [env.belvo_link()])
    before = len(env.calls("GET"))

    env.open(job.get_absolute_url())
    env.open("/bulk/")

    assert len(env.calls("GET")) == before
