"""Rows that are work: claimed with a lease by one worker at a time, and written back only under that claim.

A worker that dies loses nothing: its lease expires, and another worker claims the row with a new token. A result that
arrives later finds no row with its token and is discarded.
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

from linkadmin.database import return_connections
from linkadmin.integrations.denials import DENIED, KEYS_REJECTED, NO_FREE_SLOT
from linkadmin.providers.errors import Busy, KeysRejected, OutcomeUnknown, ProviderError

SLICE = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
RELEASED: Mapping[str, None] = {"lease_until": None, "claim_token": None}  # columns of a row without a lease


class WorkItem(models.Model):
    """A row that is work while it's due. Its package decides which rows those are, and their order."""

    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # None: nothing to do
    lease_until = models.DateTimeField(null=True, blank=True)  # nobody else claims it before then
    claim_token = models.UUIDField(null=True, blank=True)  # of the latest claim
    attempts = models.PositiveIntegerField(default=0)  # since the last success, including the current one

    class Meta:
        abstract = True


Item = TypeVar("Item", bound=WorkItem)
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a row waits after an error, unless the provider or our own limits say when to retry."""

    seconds: float
    errors: tuple[type[Exception], ...] = ()
    reasons: frozenset[str] = frozenset()  # of a `Failure`
    is_attempt: bool = False  # counts as an attempt, and the wait doubles with each; otherwise the call wasn't made
    holds_integration: bool = False  # other calls would be held back too
    obeys_retry_after: bool = True

    def length(self, error: Exception, attempts: int) -> timedelta:
        asked_for = error.failure.retry_after if self.obeys_retry_after and isinstance(error, ProviderError) else None
        growing = self.seconds * 2 ** min(attempts - 1, 10) if self.is_attempt else self.seconds
        return min(timedelta(seconds=asked_for or growing), LONGEST_WAIT)


# How long to wait after which error: the first match counts. Longer minimum waits are defined with the work:
# READ_EVERY for a link, BETWEEN_ATTEMPTS for a part of a bulk job.
WAITS = (
    # With rejected keys nothing is sent; once they're valid again, nothing should wait.
    Wait(5, (KeysRejected,), frozenset({KEYS_REJECTED}), holds_integration=True, obeys_retry_after=False),
    CROWD := Wait(1, (), NO_FREE_SLOT),
    Wait(5, (Busy,), DENIED, holds_integration=True),
    Wait(5, (OutcomeUnknown,), is_attempt=True),  # no response, or one that says nothing: 503 and all other 5xx
    Wait(5, (Exception,), is_attempt=True),
)


def wait_after(error: Exception) -> Wait:
    reason = error.failure.reason if isinstance(error, ProviderError) else ""
    return next(each for each in WAITS if reason in each.reasons or isinstance(error, each.errors))


def call_lease() -> timedelta:
    # One call may become two, and results must be written.
    return timedelta(seconds=2 * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS)


def unleased(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def due(rows: "QuerySet[Item]", now: datetime) -> "QuerySet[Item]":
    return rows.filter(unleased(now), due_at__lte=now)


def leased(rows: "QuerySet[Item]", now: datetime) -> "QuerySet[Item]":
    return rows.filter(lease_until__gt=now)


@transaction.atomic
def claim(rows: "QuerySet[Item]", *, now: datetime, limit: int, lease: timedelta) -> list[Item]:
    """Claim due rows in order. Nobody else gets them before the lease expires."""
    claimed = list(due(rows, now).select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit])
    token, until = uuid4(), now + lease
    for item in claimed:
        item.claim_token, item.lease_until, item.attempts = token, until, item.attempts + 1
    taken = rows.model._default_manager.filter(pk__in=[item.pk for item in claimed])
    taken.update(claim_token=token, lease_until=until, attempts=F("attempts") + 1)
    return claimed


def held(*items: Item) -> "QuerySet[Item]":
    """Limit rows of one claim to those it still holds. For an unclaimed row: whether it's still unclaimed.

    Every result is written through this.
    """
    model, token = type(items[0]), items[0].claim_token
    return model._default_manager.filter(pk__in=[item.pk for item in items], claim_token=token)


def extend(item: WorkItem, lease: timedelta) -> bool:
    """Renew a row's lease from now on. False if another worker has claimed it."""
    item.lease_until = timezone.now() + lease
    return bool(held(item).update(lease_until=item.lease_until))


@transaction.atomic
def release(items: Sequence[Item]) -> None:
    """Return rows that weren't tried: anyone may claim them at once."""
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
    """Return rows that failed. Returns when they're due again.

    After an attempt, the next one comes no sooner than `at_least`. `also` are further columns to write.
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
    """How long a worker starts new work before other tasks get their turn."""

    until: float = field(default_factory=lambda: time.monotonic() + SLICE.total_seconds())
    is_stopped: bool = False  # nothing more can be done for now

    @property
    def is_over(self) -> bool:
        return self.is_stopped or time.monotonic() >= self.until


def work_side_by_side(
    look: Callable[[int], Iterable[Task]],
    do: Callable[[Task], Result],
    finish: Callable[[list[Result]], object] = lambda results: None,
    *,
    threads: int,
    every: float | None,
    name: str,
) -> None:
    """Run `do` in threads for what `look` finds, until it finds nothing more and all is done.

    `look` gets the number of free threads, whenever one finishes and every `every` seconds. `finish` gets the results
    of all that have finished since the last time.
    """

    def do_and_return(task: Task) -> Result:
        try:
            return do(task)
        finally:
            return_connections()

    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        while True:
            running |= {pool.submit(do_and_return, task) for task in look(threads - len(running))}
            if not running:
                return
            done, running = wait(running, every, FIRST_COMPLETED)
            if done:
                finish([each.result() for each in done])


def _lock(items: Sequence[WorkItem]) -> None:
    # In the order everyone uses.
    if len(items) > 1:
        list(held(*items).select_for_update(no_key=True).order_by("pk").values_list("pk"))
