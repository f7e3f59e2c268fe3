"""Rows that are to be read, and who is at them: claimed for a while, and ended by whoever still has them.

Each integration has readers of its own, so that one whose provider is slow or away keeps nobody else waiting.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.database import release_connections
from linkadmin.integrations.models import Integration
from linkadmin.links.due_reads import LINGER
from linkadmin.links.models import READ_EVERY, LinkRead
from linkadmin.work_queue import SLICE, TimeSlice

from .models import UnknownLinkRead

READERS = 2  # at one integration: the others' turn comes too
Row = TypeVar("Row", LinkRead, UnknownLinkRead)


def work(
    integration_id: UUID,
    due: "QuerySet[Row]",
    read: Callable[[Integration, list[Row], TimeSlice], None],
    *,
    limit: int,
) -> bool:
    """Read what is due of an integration until nothing is, calls are held back, or others must have a turn.

    Tell whether somebody has to go on at once.
    """
    time_slice = TimeSlice()
    lease = SLICE + work_queue.call_lease()  # the last call may start when the slice ends
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
    """Let claimed rows go, each with what came of it; one that somebody else has by now is left to them."""
    if not rows:
        return
    model = type(rows[0])
    with transaction.atomic():
        fresh = list(work_queue.held(*rows).select_for_update(of=("self",), no_key=True).order_by("pk"))
        for row in fresh:
            conclude(row)
            row.claim_token = row.lease_until = None
        columns = [field.name for field in model._meta.concrete_fields if not field.primary_key]
        model._default_manager.bulk_update(fresh, columns, batch_size=200)


def retry_later(rows: Sequence[Row], error: Exception, time_slice: TimeSlice) -> None:
    """Let claimed rows wait after an error, and the reader leave where all calls are held back."""
    rule = work_queue.wait_after(error)
    tried = {"read_at": timezone.now()} if rule.is_attempt else None
    work_queue.retry_later(rows, error, at_least=READ_EVERY, also=tried)
    if rule.holds_integration:
        time_slice.is_stopped = True


def integrations_due(*, now: datetime) -> "QuerySet[Integration, UUID]":
    """Return the ids of integrations that may be asked and have something to be read."""
    links, unknown = (
        rows.objects.filter(due_at__lte=now).order_by().values("integration") for rows in (LinkRead, UnknownLinkRead)
    )
    askable = Integration.objects.askable(now=now)
    return askable.filter(Q(pk__in=links) | Q(pk__in=unknown)).values_list("pk", flat=True)


def _readers(rows: "QuerySet[Row]") -> int:
    """Return how many are at some of these rows now."""
    taken = work_queue.leased(rows.filter(due_at__isnull=False), timezone.now())
    return taken.order_by().values("claim_token").distinct().count()


def _lingered(due: "QuerySet[Row]") -> bool:
    """Wait for what is due in a moment; tell whether there is something."""
    now = timezone.now()
    free = due.filter(work_queue.unleased(now), due_at__lte=now + LINGER).order_by()
    at: datetime | None = free.aggregate(at=Min("due_at"))["at"]
    if at is None:
        return False
    release_connections()
    time.sleep(max((at - now).total_seconds(), 0.01))
    return True
