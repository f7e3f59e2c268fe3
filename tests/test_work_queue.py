"""Rows that are work, in each of their tables: claimed by one worker at a time, written only with its lease."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q, QuerySet
from django.utils import timezone

from linkadmin.bulk.models import BulkJob, BulkPart
from linkadmin.database import release_connections
from linkadmin.integrations.denials import NO_SLOT, QUOTA
from linkadmin.links.models import LinkRead
from linkadmin.providers.errors import Busy, Failure, KeysRejected, NotSent, OutcomeUnknown, ProviderError
from linkadmin.sync.models import FullCheck, FullCheckBatch, UnknownLinkRead
from linkadmin.webhooks.models import WebhookDelivery
from linkadmin.work_queue import (
    RELEASED,
    WorkItem,
    claim,
    due,
    extend,
    held,
    leased,
    release,
    retry_later,
    work_side_by_side,
)
from tests.environment import Environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
ROWS = 40
Rows = QuerySet[Any]


def deliveries(env: Environment) -> Rows:
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(integration=env.belvo, key=str(number)) for number in range(ROWS)
    )
    return WebhookDelivery.objects.order_by("due_at")


def link_reads(env: Environment) -> Rows:
    links = [env.belvo_link(f"Customer {number}") for number in range(ROWS)]
    LinkRead.objects.bulk_create(LinkRead(link=link, integration=env.belvo) for link in links)
    return LinkRead.objects.order_by("urgency", "due_at")


def unknown_link_reads(env: Environment) -> Rows:
    UnknownLinkRead.objects.bulk_create(
        UnknownLinkRead(integration=env.belvo, remote_id=str(number)) for number in range(ROWS)
    )
    return UnknownLinkRead.objects.order_by("due_at")


def full_check_batches(env: Environment) -> Rows:
    full_check = FullCheck.objects.create(integration=env.belvo)
    FullCheckBatch.objects.bulk_create(
        FullCheckBatch(full_check=full_check, kind="page", key=str(number)) for number in range(ROWS)
    )
    return full_check.parts.filter(done_at=None).order_by("-kind", "id")


def bulk_parts(env: Environment) -> Rows:
    job = BulkJob.objects.create(kind="check_status", state="running", actor=env.people["ana"])
    BulkPart.objects.bulk_create(BulkPart(job=job, integration=env.belvo, links=1) for _number in range(ROWS))
    return job.parts.filter(done_at=None, job__state="running").select_related("integration").order_by("pk")


@pytest.fixture(
    params=[deliveries, link_reads, unknown_link_reads, full_check_batches, bulk_parts], ids=lambda make: make.__name__
)
def rows(request: pytest.FixtureRequest, env: Environment) -> Rows:
    """Rows of one table that are due, as its package claims them."""
    made: Rows = request.param(env)
    return made


@pytest.fixture
def row(env: Environment) -> Rows:
    """One row that is due."""
    UnknownLinkRead.objects.create(integration=env.belvo, remote_id="one")
    return UnknownLinkRead.objects.all()


def claimed(rows: Rows, limit: int = 1, lease: timedelta = MINUTE) -> list[Any]:
    return claim(rows, now=timezone.now(), limit=limit, lease=lease)


def with_connections(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run in this many threads at once, each with its own connection."""
    together = threading.Barrier(count)

    def run(number: int) -> Any:
        together.wait()
        try:
            return work(number)
        finally:
            release_connections()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_claimers_never_get_the_same_row(rows: Rows) -> None:
    def take_all(_number: int) -> list[Any]:
        mine: list[Any] = []
        while len(mine) <= ROWS and (some := claimed(rows, limit=3)):
            mine += some
        return mine

    taken = [item for mine in with_connections(4, take_all) for item in mine]
    left = claimed(rows, limit=ROWS)  # rows that no thread got, because several checked them at once

    assert sorted(item.pk for item in taken + left) == sorted(rows.model._default_manager.values_list("pk", flat=True))
    kept = dict(rows.model._default_manager.values_list("pk", "claim_token"))
    assert all(kept[item.pk] == item.claim_token for item in taken + left)


def test_rows_are_claimed_in_order_and_no_more_than_asked_for(rows: Rows) -> None:
    in_order = list(rows.values_list("pk", flat=True))

    first, then = claimed(rows, limit=3), claimed(rows, limit=ROWS)

    assert [item.pk for item in first + then] == in_order
    assert {item.attempts for item in first} == {1}
    assert len({item.claim_token for item in first}) == 1


def test_expired_lease_passes_to_another_and_the_late_result_is_discarded(rows: Rows) -> None:
    [[late], _nobody] = with_connections(2, lambda number: [] if number else claimed(rows, lease=-SECOND))
    [after] = claimed(rows.filter(pk=late.pk))

    [[written, extended], _] = with_connections(2, lambda number: None if number else write_all(late))

    kept = rows.model._default_manager.get(pk=late.pk)
    assert (written, extended) == (0, False)
    assert (kept.claim_token, kept.lease_until, kept.attempts) == (after.claim_token, after.lease_until, 2)
    assert kept.due_at == after.due_at
    assert held(after).update(**RELEASED) == 1


def write_all(item: WorkItem) -> tuple[int, bool]:
    """Write everything a worker may write about a row."""
    release([item])
    retry_later([item], RuntimeError())
    return held(item).update(**RELEASED, due_at=None), extend(item, MINUTE)


def test_row_stays_claimed_until_its_lease_expires(row: Rows) -> None:
    now = timezone.now()
    [item] = claim(row, now=now, limit=1, lease=MINUTE)

    assert not claim(row, now=now + MINUTE - SECOND, limit=1, lease=MINUTE)
    assert leased(row, now + MINUTE - SECOND).exists()
    assert extend(item, 2 * MINUTE)

    assert not claim(row, now=now + MINUTE, limit=1, lease=MINUTE)
    assert claim(row, now=item.lease_until, limit=1, lease=MINUTE)


def test_row_without_a_due_time_or_not_due_yet_is_not_claimed(row: Rows) -> None:
    for due_at in (None, timezone.now() + MINUTE):
        row.update(due_at=due_at)

        assert not claimed(row)
    assert due(row, timezone.now() + MINUTE).exists()


def test_released_row_is_due_at_once_and_counts_no_attempt(rows: Rows) -> None:
    release(claimed(rows, limit=5))

    assert not rows.filter(~Q(attempts=0) | ~Q(lease_until=None) | ~Q(claim_token=None)).exists()
    assert len(claimed(rows, limit=ROWS)) == ROWS


def error(kind: type[ProviderError], reason: str = "", retry_after: float | None = None) -> ProviderError:
    return kind(Failure("belvo.read_link", reason=reason, retry_after=retry_after))


@pytest.mark.parametrize(
    ("raised", "seconds"),
    [
        (error(OutcomeUnknown), [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]),
        (RuntimeError(), [5, 10, 20]),
        (error(OutcomeUnknown, retry_after=33), [33, 33]),
        (error(OutcomeUnknown, retry_after=9999), [900]),
    ],
    ids=["no answer", "fault of ours", "the provider says when", "the provider says too long"],
)
def test_each_failed_attempt_counts_and_waits_longer(row: Rows, raised: Exception, seconds: list[int]) -> None:
    assert waits(row, raised, len(seconds)) == seconds
    assert row.get().attempts == len(seconds)


@pytest.mark.parametrize(
    ("raised", "seconds"),
    [
        (error(KeysRejected, retry_after=900), 5),
        (error(NotSent, "keys_rejected"), 5),
        (error(NotSent, NO_SLOT), 1),
        (error(NotSent, QUOTA, 42), 42),
        (error(NotSent, "paused"), 5),
        (error(Busy, retry_after=7), 7),
    ],
    ids=["keys refused", "keys refused before", "crowded", "quota", "paused", "busy"],
)
def test_call_that_was_not_made_counts_no_attempt(row: Rows, raised: Exception, seconds: int) -> None:
    assert waits(row, raised, 3) == [seconds] * 3
    assert row.get().attempts == 0


def waits(row: Rows, raised: Exception, times: int) -> list[int]:
    """Fail a row this many times. Returns the seconds it waited after each failure."""
    seconds = []
    for _time in range(times):
        row.update(due_at=timezone.now())
        before = timezone.now()
        until = retry_later(claimed(row), raised)
        assert row.get().due_at == until
        seconds.append(round((until - before).total_seconds()))
    return seconds


def test_rows_of_one_claim_wait_according_to_their_own_attempts(env: Environment) -> None:
    rows = unknown_link_reads(env)
    rows.filter(remote_id="1").update(attempts=3)

    until = retry_later(claimed(rows, limit=ROWS), RuntimeError(), at_least=timedelta(seconds=10))

    seconds = {row.remote_id: round((row.due_at - timezone.now()).total_seconds(), -1) for row in rows}
    assert (seconds["0"], seconds["1"]) == (10, 40)
    assert until == rows.get(remote_id="1").due_at


def test_pool_works_side_by_side_until_nothing_is_found_and_all_is_done() -> None:
    rest, at_work, most, done = list(range(20)), set(), [], []
    lock = threading.Lock()

    def look(free: int) -> list[int]:
        found, rest[:] = rest[:free], rest[free:]
        return found

    def do(task: int) -> None:
        with lock:
            at_work.add(task)
            most.append(len(at_work))
        time.sleep(0.01)
        with lock:
            at_work.remove(task)
            done.append(task)

    work_side_by_side(look, do, threads=3, every=None, name="test")

    assert sorted(done) == list(range(20))
    assert max(most) <= 3


def test_pool_looks_while_all_threads_are_busy() -> None:
    may_end, looks = threading.Event(), []

    def look(free: int) -> list[UUID | None]:
        looks.append(free)
        if looks.count(0) == 3:
            may_end.set()
        return [None] if free and not may_end.is_set() else []

    work_side_by_side(look, lambda _task: may_end.wait(60), threads=1, every=0.01, name="test")

    assert looks[:4] == [1, 0, 0, 0]


def test_error_in_a_thread_reaches_the_caller() -> None:
    once = [[1], []]

    def fail(_task: int) -> None:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        work_side_by_side(lambda _free: once.pop(0), fail, threads=1, every=None, name="test")
