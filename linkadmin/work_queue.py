"""Rows that are work: claimed with a lease by one worker at a time, written back only under that claim.

A worker that dies loses nothing: its lease runs out, and another worker claims the row with a new token. A result that
arrives after that finds no row with its own token and is discarded.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.integrations.denials import DENIED, KEYS_REJECTED, NO_FREE_SLOT
from linkadmin.providers.errors import Busy, KeysRejected, OutcomeUnknown, ProviderError

SLICE = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
RELEASED: Mapping[str, None] = {"lease_until": None, "claim_token": None}  # columns of a row that nobody holds


class WorkItem(models.Model):
    """A row that is work while it is due. Which rows of a table those are, and in what order, its package says."""

    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # None: nothing to do
    lease_until = models.DateTimeField(null=True, blank=True)  # until then nobody else claims it
    claim_token = models.UUIDField(null=True, blank=True)  # of its latest claim
    attempts = models.PositiveIntegerField(default=0)  # since the last success, with the one under way

    class Meta:
        abstract = True


Item = TypeVar("Item", bound=WorkItem)
Task = TypeVar("Task")


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a row waits after some errors, where the provider or our own limits don't say."""

    seconds: float
    errors: tuple[type[Exception], ...] = ()
    reasons: frozenset[str] = frozenset()  # of a `Failure`
    is_attempt: bool = False  # it counts, and the wait doubles with each; otherwise the call was held back
    holds_integration: bool = False  # its other calls would be held back too
    obeys_retry_after: bool = True

    def length(self, error: Exception, attempts: int) -> timedelta:
        """Return how long a row waits after so many attempts."""
        asked_for = error.failure.retry_after if self.obeys_retry_after and isinstance(error, ProviderError) else None
        growing = self.seconds * 2 ** min(attempts - 1, 10) if self.is_attempt else self.seconds
        return min(timedelta(seconds=asked_for or growing), LONGEST_WAIT)


# How long to wait after which error: the first row that fits. What is waited for at least, where that is longer, is
# said where the work is: READ_EVERY for one link, BETWEEN_ATTEMPTS for a part of a job.
WAITS = (
    # While keys are refused nothing is asked; once they are good again nothing should wait.
    Wait(5, (KeysRejected,), frozenset({KEYS_REJECTED}), holds_integration=True, obeys_retry_after=False),
    CROWD := Wait(1, (), NO_FREE_SLOT),
    Wait(5, (Busy,), DENIED, holds_integration=True),
    Wait(5, (OutcomeUnknown,), is_attempt=True),  # no answer, or one that tells nothing: a 503 and every other 5xx
    Wait(5, (Exception,), is_attempt=True),
)


def wait_after(error: Exception) -> Wait:
    """Return the row of the table for an error."""
    reason = error.failure.reason if isinstance(error, ProviderError) else ""
    return next(each for each in WAITS if reason in each.reasons or isinstance(error, each.errors))


def call_lease() -> timedelta:
    """Return how long a claim for one call lasts: it may turn out to be two, and their results are to be written."""
    return timedelta(seconds=2 * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS)


def unleased(now: datetime) -> Q:
    """Match rows that nobody is working on, or whose worker died."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


def due(rows: "QuerySet[Item]", now: datetime) -> "QuerySet[Item]":
    """Return the rows that anyone may claim now."""
    return rows.filter(unleased(now), due_at__lte=now)


def leased(rows: "QuerySet[Item]", now: datetime) -> "QuerySet[Item]":
    """Return the rows that someone is working on."""
    return rows.filter(lease_until__gt=now)


@transaction.atomic
def claim(rows: "QuerySet[Item]", *, now: datetime, limit: int, lease: timedelta) -> list[Item]:
    """Claim rows that are due, in their order. Nobody else gets them before the lease runs out."""
    claimed = list(due(rows, now).select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit])
    token, until = uuid4(), now + lease
    for item in claimed:
        item.claim_token, item.lease_until, item.attempts = token, until, item.attempts + 1
    taken = rows.model._default_manager.filter(pk__in=[item.pk for item in claimed])
    taken.update(claim_token=token, lease_until=until, attempts=F("attempts") + 1)
    return claimed


def held(*items: Item) -> "QuerySet[Item]":
    """Return those of some rows of one claim that it still holds; of a row without one, whether it still has none.

    Every result is written through this.
    """
    model, token = type(items[0]), items[0].claim_token
    return model._default_manager.filter(pk__in=[item.pk for item in items], claim_token=token)


def extend(item: WorkItem, lease: timedelta) -> bool:
    """Renew the lease of a row from now on; False if someone else has the row by now."""
    item.lease_until = timezone.now() + lease
    return bool(held(item).update(lease_until=item.lease_until))


@transaction.atomic
def release(items: Sequence[Item]) -> None:
    """Hand rows back that were not tried: anyone may claim them at once."""
    if items:
        _lock(items)
        held(*items).update(**RELEASED, attempts=F("attempts") - 1)


@transaction.atomic
def retry_later(
    items: Sequence[Item],
    error: Exception,
    *,
    at_least: timedelta = timedelta(0),
    also: Mapping[str, object] | None = None,
) -> datetime:
    """Hand rows back that met an error; return when all of them are due again.

    After an attempt the next one comes no sooner than `at_least`. `also` are further columns to write.
    """
    rule, now = wait_after(error), timezone.now()
    pause = timedelta(0)
    _lock(items)
    for attempts in sorted({item.attempts for item in items}):
        pause = max(rule.length(error, attempts), at_least if rule.is_attempt else timedelta(0))
        some = held(*(item for item in items if item.attempts == attempts))
        some.update(
            **RELEASED, **also or {}, due_at=now + pause, attempts=attempts if rule.is_attempt else attempts - 1
        )
    return now + pause


@dataclass(slots=True)
class TimeSlice:
    """The time in which a worker starts new work, before other tasks get their turn."""

    until: float = field(default_factory=lambda: time.monotonic() + SLICE.total_seconds())
    is_stopped: bool = False  # for now nothing more can be done

    @property
    def is_over(self) -> bool:
        return self.is_stopped or time.monotonic() >= self.until


def work_side_by_side(
    look: Callable[[int], Iterable[Task]], do: Callable[[Task], object], *, threads: int, every: float | None, name: str
) -> None:
    """Do what `look` finds in threads, until it finds nothing more and everything is done.

    It is called with the number of free threads whenever one is done, and after `every` so many seconds.
    """

    def do_and_release(task: Task) -> None:
        try:
            do(task)
        finally:
            release_connections()

    running: set[Future[None]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        while True:
            running |= {pool.submit(do_and_release, task) for task in look(threads - len(running))}
            if not running:
                return
            done, running = wait(running, every, FIRST_COMPLETED)
            for each in done:
                each.result()


def _lock(items: Sequence[WorkItem]) -> None:
    """Lock several rows in the order in which everyone locks them."""
    if len(items) > 1:
        list(held(*items).select_for_update(no_key=True).order_by("pk").values_list("pk"))
