"""Rows that are to be read, and who is at them: claimed for a while, and ended by whoever still has them.

Each integration has readers of its own, so that one whose provider is slow or away keeps nobody else waiting.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.links.models import Integration

from .models import LinkRead, StrangerRead

TASK = "sync.read_due"
ROUND = timedelta(seconds=15)  # so long a reader begins new calls
MARGIN = timedelta(seconds=10)  # for our own work between two calls
LINGER = timedelta(seconds=1)  # for what is due so soon, nobody new has to come
READERS = 2  # at one integration: the others' turn comes too
Row = TypeVar("Row", LinkRead, StrangerRead)


@dataclass(slots=True)
class Round:
    """What the calls of one reader share: when no new one begins, and whether calls are held back."""

    until: float = field(default_factory=lambda: time.monotonic() + ROUND.total_seconds())
    held: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        return self.held.is_set() or time.monotonic() >= self.until


def work(
    integration_id: UUID,
    due: "QuerySet[Row]",
    read: Callable[[Integration, list[Row], Round], None],
    *,
    limit: int,
) -> bool:
    """Read what is due of an integration until nothing is, calls are held back, or others must have a turn.

    Tell whether somebody has to go on at once.
    """
    this = Round()
    while not this.is_over:
        integration = Integration.objects.askable(now=timezone.now()).filter(pk=integration_id).first()
        if integration is None or _readers(due) >= READERS:
            return False
        rows = claim(due, limit=limit)
        if rows:
            read(integration, rows, this)
        elif not _lingered(due):
            return False
    return not this.held.is_set()


def claim(due: "QuerySet[Row]", *, limit: int) -> list[Row]:
    """Take rows that are due, in their order. Nobody else gets them before the lease is over."""
    now = timezone.now()
    with transaction.atomic():
        free = due.filter(_free(now), due_at__lte=now)
        rows = list(free.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)[:limit])
        reader, until = uuid4(), now + _lease()
        due.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(reader=reader, lease_until=until)
    for row in rows:
        row.reader, row.lease_until = reader, until
    return rows


def end(rows: Sequence[Row], conclude: Callable[[Row], None]) -> None:
    """Let claimed rows go, each with what came of it; one that somebody else has by now is left to them."""
    if not rows:
        return
    model = type(rows[0])
    with transaction.atomic():
        ours = model._default_manager.filter(pk__in=[row.pk for row in rows], reader=rows[0].reader)
        fresh = list(ours.select_for_update(of=("self",), no_key=True).order_by("pk"))
        for row in fresh:
            conclude(row)
            row.reader = row.lease_until = None
        columns = [field.name for field in model._meta.concrete_fields if not field.primary_key]
        model._default_manager.bulk_update(fresh, columns, batch_size=200)


def release(rows: Sequence[Row]) -> None:
    """Let claimed rows go as they are."""
    end(rows, lambda row: None)


def integrations_due(*, now: datetime) -> "QuerySet[Integration, UUID]":
    """Return the ids of integrations that may be asked and have something to be read."""
    links, strangers = (
        rows.objects.filter(due_at__lte=now).order_by().values("integration") for rows in (LinkRead, StrangerRead)
    )
    askable = Integration.objects.askable(now=now)
    return askable.filter(Q(pk__in=links) | Q(pk__in=strangers)).values_list("pk", flat=True)


def _readers(rows: "QuerySet[Row]") -> int:
    """Return how many are at some of these rows now."""
    taken = rows.filter(due_at__isnull=False, lease_until__gt=timezone.now())
    return taken.order_by().values("reader").distinct().count()


def _lingered(due: "QuerySet[Row]") -> bool:
    """Wait for what is due in a moment; tell whether there is something."""
    now = timezone.now()
    free = due.filter(_free(now), due_at__lte=now + LINGER).order_by()
    at: datetime | None = free.aggregate(at=Min("due_at"))["at"]
    if at is None:
        return False
    release_connections()
    time.sleep(max((at - now).total_seconds(), 0.01))
    return True


def _free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def _lease() -> timedelta:
    """Return what one round may take at most: a call begun at its end is a read and one of the consents."""
    return ROUND + 2 * timedelta(seconds=settings.PROVIDER_READ_SECONDS) + MARGIN
