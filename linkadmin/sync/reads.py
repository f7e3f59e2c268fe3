"""Reads links that deliveries, repairs, full checks and the clock want read, with as few requests as possible.

Each link has one row. However often a read is requested, the link is read once, after the latest request, and at most
every ten seconds.

Rows are claimed with a lease. Each integration has its own readers, so a slow provider doesn't hold up others.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.database import release_connections, update_rows
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.due_reads import LINGER
from linkadmin.links.models import READ_EVERY, Link, LinkRead
from linkadmin.operations import reading
from linkadmin.providers.errors import ProviderError
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from linkadmin.work_queue import CROWD, SLICE, TimeSlice, release, wait_after, work_side_by_side

from .models import UnknownLinkRead

logger = structlog.get_logger(__name__)

CLAIMED_AT_ONCE = 100  # links
CALLS_AT_ONCE = 4  # per reader
READERS = 2  # per integration, so that others get a turn
ALONE_AFTER = 3  # failed reads: maybe this one link breaks the shared request

Row = TypeVar("Row", LinkRead, UnknownLinkRead)


def work(integration_id: UUID) -> bool:
    """Return whether to continue at once."""
    due = LinkRead.objects.filter(integration=integration_id).order_by("urgency", "due_at")
    return work_rows(integration_id, due, _read_all, limit=CLAIMED_AT_ONCE)


def work_rows(
    integration_id: UUID,
    due: "QuerySet[Row]",
    read: Callable[[Integration, list[Row], TimeSlice], None],
    *,
    limit: int,
) -> bool:
    """Read what's due until nothing is, requests are held back, or the time slice ends.

    Return whether to continue at once.
    """
    time_slice = TimeSlice()
    lease = SLICE + work_queue.call_lease()  # the last request may start when the slice ends
    while not time_slice.is_over:
        integration = Integration.objects.askable(now=timezone.now()).filter(pk=integration_id).first()
        if integration is None or _readers(due) >= READERS:
            return False
        rows = work_queue.claim(due, now=timezone.now(), limit=limit, lease=lease)
        if rows:
            read(integration, rows, time_slice)
        elif not _lingered(due):
            return False
    return not time_slice.is_stopped


def end(rows: Sequence[Row], conclude: Callable[[Row], None]) -> None:
    """Release claimed rows, each with its result; skip those that another worker has claimed since."""
    if not rows:
        return
    model = type(rows[0])
    with transaction.atomic():
        fresh = list(work_queue.held(*rows).select_for_update(of=("self",), no_key=True).order_by("pk"))
        for row in fresh:
            conclude(row)
            row.claim_token = row.lease_until = None
        columns = [field.name for field in model._meta.concrete_fields if not field.primary_key]
        update_rows(fresh, columns)


def retry_later(rows: Sequence[Row], error: Exception, time_slice: TimeSlice) -> None:
    rule = wait_after(error)
    tried = {"read_at": timezone.now()} if rule.is_attempt else None
    work_queue.retry_later(rows, error, at_least=READ_EVERY, also=tried)
    if rule.holds_integration:
        time_slice.is_stopped = True


def integrations_due(*, now: datetime) -> "QuerySet[Integration, UUID]":
    links, unknown = (
        rows.objects.filter(due_at__lte=now).order_by().values("integration") for rows in (LinkRead, UnknownLinkRead)
    )
    askable = Integration.objects.askable(now=now)
    return askable.filter(Q(pk__in=links) | Q(pk__in=unknown)).values_list("pk", flat=True)


@dataclass(frozen=True, slots=True)
class _SharedRead:
    """Links read in one request, with their claimed rows."""

    links: list[Link]
    rows: list[LinkRead]
    read: Callable[[Sequence[Link]], list[Link]]  # returns those that need a second read


def _read_all(integration: Integration, rows: Sequence[LinkRead], time_slice: TimeSlice) -> None:
    known = Link.objects.select_related("integration", "end_user", "institution")
    links = known.in_bulk([row.link_id for row in rows])
    end([row for row in rows if links[row.link_id].is_disconnected], LinkRead.drop)
    calls = _calls(integration, [(row, links[row.link_id]) for row in rows if not links[row.link_id].is_disconnected])
    if len(calls) == 1:
        _make(calls[0], time_slice)
    else:
        rest, make = iter(calls), partial(_make, time_slice=time_slice)
        work_side_by_side(lambda free: islice(rest, free), make, threads=CALLS_AT_ONCE, every=None, name="read")


def _calls(integration: Integration, pairs: Sequence[tuple[LinkRead, Link]]) -> list[_SharedRead]:
    alone, others = [], {}
    for row, link in pairs:
        if link.missing_since is not None or row.attempts > ALONE_AFTER:
            read = reading.read_many if link.missing_since is None else _look_again
            alone.append(_SharedRead([link], [row], read))
        else:
            others[link.ref] = (row, link)
    together = []
    for refs in reading.batches(integration, list(others)):
        found = [others[ref] for ref in refs]
        together.append(_SharedRead([link for _row, link in found], [row for row, _link in found], reading.read_many))
    return together + alone


def _look_again(links: Sequence[Link]) -> list[Link]:
    """Read a link that was missing before: if it's missing again, it's gone."""
    for link in links:
        reading.read(link, in_background=True)
    return []


def _make(call: _SharedRead, time_slice: TimeSlice) -> None:
    if time_slice.is_over:
        release(call.rows)
        return
    before = {link.pk: _known(link) for link in call.links}
    began_at = timezone.now()
    try:
        missing = {link.pk for link in call.read(call.links)}
    except Exception as error:  # noqa: BLE001 - this request failed, the next may succeed
        if isinstance(error, ProviderError):
            _note_failure(call, error)
        else:
            logger.error("read.broke", links=len(call.links), error=type(error).__name__)
        retry_later(call.rows, error, time_slice)
        return
    news = {link.pk for link in call.links if _known(link) != before[link.pk]}
    _note_answer(call.rows, missing, news, began_at)


def _known(link: Link) -> tuple[object, ...]:
    return link.shown_state, link.cause, link.last_good_at, link.renew_by, link.disconnected_at


@transaction.atomic
def _note_answer(rows: Sequence[LinkRead], missing: set[UUID], news: set[UUID], began_at: datetime) -> None:
    now = timezone.now()

    def conclude(row: LinkRead) -> None:
        if row.link_id in missing:
            row.look_twice(now=now)
        else:
            row.answer(began_at, now=now)
            row.found_change = row.link_id in news

    end(rows, conclude)
    answered = {row.link_id for row in rows} - missing
    deliveries.close_read(answered & news, began_at=began_at, outcome=DeliveryOutcome.CHANGED)
    deliveries.close_read(answered - news, began_at=began_at, outcome=DeliveryOutcome.NO_CHANGE)


def _note_failure(call: _SharedRead, error: ProviderError) -> None:
    if wait_after(error) is not CROWD:  # which passes in a moment
        for link in call.links:
            health.note_failed_check(link, why=reading.why_check_failed(error), at=timezone.now())
        waiting = WebhookDelivery.objects.filter(state=DeliveryState.PROCESSING, links__in=call.links)
        waiting.update(outcome=DeliveryOutcome.WAITING_TO_RETRY)


def _readers(rows: "QuerySet[Row]") -> int:
    taken = work_queue.leased(rows.filter(due_at__isnull=False), timezone.now())
    return taken.order_by().values("claim_token").distinct().count()


def _lingered(due: "QuerySet[Row]") -> bool:
    """Wait for rows that are due in a moment; return whether there are any."""
    now = timezone.now()
    free = due.filter(work_queue.unleased(now), due_at__lte=now + LINGER).order_by()
    at: datetime | None = free.aggregate(at=Min("due_at"))["at"]
    if at is None:
        return False
    release_connections()
    time.sleep(max((at - now).total_seconds(), 0.01))
    return True
