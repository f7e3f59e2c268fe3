"""Links to be read: wanted by deliveries, repairs, full checks and the clock, and read by as few calls as may be.

A row for each link is the truth. However often a link is wanted, it is read once, by a read that begins after the last
wish; never sooner than ten seconds after the one before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import Link, LinkRead
from linkadmin.operations import reading
from linkadmin.providers.errors import ProviderError
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from linkadmin.work_queue import CROWD, TimeSlice, release, wait_after, work_side_by_side

from . import queue

logger = structlog.get_logger(__name__)

CLAIMED_AT_ONCE = 100  # links
CALLS_AT_ONCE = 4  # of one reader
ALONE_AFTER = 3  # reads in vain: perhaps it is this one link that spoils the call


def work(integration_id: UUID) -> bool:
    """Read the links of an integration that are due, the most urgent first; tell whether it has to go on at once."""
    due = LinkRead.objects.filter(integration=integration_id).order_by("urgency", "due_at")
    return queue.work(integration_id, due, _read_all, limit=CLAIMED_AT_ONCE)


@dataclass(frozen=True, slots=True)
class _SharedRead:
    """Links that are read together, with their claimed rows."""

    links: list[Link]
    rows: list[LinkRead]
    read: Callable[[Sequence[Link]], list[Link]]  # returns those that a second look has to find


def _read_all(integration: Integration, rows: Sequence[LinkRead], time_slice: TimeSlice) -> None:
    """Read the links of claimed rows, a few calls at once."""
    known = Link.objects.select_related("integration", "end_user", "institution")
    links = known.in_bulk([row.link_id for row in rows])
    queue.end([row for row in rows if links[row.link_id].is_disconnected], LinkRead.drop)
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
    """Read a link that was missing already: what is not there the second time is gone."""
    for link in links:
        reading.read(link, in_background=True)
    return []


def _make(call: _SharedRead, time_slice: TimeSlice) -> None:
    """Make one call, and note with each of its links what came of it."""
    if time_slice.is_over:
        release(call.rows)
        return
    before = {link.pk: _known(link) for link in call.links}
    began_at = timezone.now()
    try:
        missing = {link.pk for link in call.read(call.links)}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this call, the next one may be right
        if isinstance(error, ProviderError):
            _note_failure(call, error)
        else:
            logger.error("read.broke", links=len(call.links), error=type(error).__name__)
        queue.retry_later(call.rows, error, time_slice)
        return
    news = {link.pk for link in call.links if _known(link) != before[link.pk]}
    _note_answer(call.rows, missing, news, began_at)


def _known(link: Link) -> tuple[object, ...]:
    """Return what of a link counts as news when it changes."""
    return link.shown_state, link.cause, link.last_good_at, link.renew_by, link.disconnected_at


@transaction.atomic
def _note_answer(rows: Sequence[LinkRead], missing: set[UUID], news: set[UUID], began_at: datetime) -> None:
    """Let rows go, and close the messages that waited for this read: both, or neither if we die meanwhile."""
    now = timezone.now()

    def conclude(row: LinkRead) -> None:
        if row.link_id in missing:
            row.look_twice(now=now)
        else:
            row.answer(began_at, now=now)
            row.found_change = row.link_id in news

    queue.end(rows, conclude)
    answered = {row.link_id for row in rows} - missing
    deliveries.close_read(answered & news, began_at=began_at, outcome=DeliveryOutcome.CHANGED)
    deliveries.close_read(answered - news, began_at=began_at, outcome=DeliveryOutcome.NO_CHANGE)


def _note_failure(call: _SharedRead, error: ProviderError) -> None:
    """Say with links and deliveries that they wait."""
    if wait_after(error) is not CROWD:  # which is over in a moment
        for link in call.links:
            health.note_unasked(link, why=reading.why_unasked(error), at=timezone.now())
        waiting = WebhookDelivery.objects.filter(state=DeliveryState.PROCESSING, links__in=call.links)
        waiting.update(outcome=DeliveryOutcome.WAITING_TO_RETRY)
