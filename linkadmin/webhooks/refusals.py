"""Counts rejected requests per minute and integration, and warns when there are many.

A request to an unknown URL costs no statement. One to a known URL costs a statement for the first hundred, then one
per hundred, so a flood of forgeries leaves the database to genuine deliveries.
"""

import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db.models import Sum
from django.utils import timezone

from linkadmin.database import on_live_connection
from linkadmin.integrations.models import Integration

from .models import RefusalCount, insert_or_add

ALERT_ABOVE = 20  # per minute
ONE_BY_ONE = 100  # counted exactly; beyond that, per hundred
NOWHERE = None  # an unknown URL

logger = structlog.get_logger(__name__)

_lock = threading.Lock()
_seen: Counter[UUID | None] = Counter()  # in the minute `_minute`, in this process
_minute = datetime.min


def note(integration_id: UUID | None, *, now: datetime) -> None:
    """Count a rejected request; warn at most once per minute and URL."""
    minute = now.replace(second=0, microsecond=0)
    seen = _count(integration_id, minute)
    if integration_id is NOWHERE:
        if seen == ALERT_ABOVE + 1:
            logger.warning("webhooks.refusals", integration="", above=ALERT_ABOVE)
        return
    counted = 1 if seen <= ONE_BY_ONE else ONE_BY_ONE if seen % ONE_BY_ONE == 0 else 0
    if counted:
        row = RefusalCount(integration_id=integration_id, minute=minute, count=counted)
        add = partial(insert_or_add, row, unique=("integration_id", "minute"), counter="count")
        total = on_live_connection(add)
        if total - counted <= ALERT_ABOVE < total:
            logger.warning("webhooks.refusals", integration=str(integration_id), above=ALERT_ABOVE)


def last_hour(integration: Integration) -> int:
    recent = RefusalCount.objects.filter(
        integration=integration, minute__range=(timezone.now() - timedelta(hours=1), timezone.now())
    )
    return recent.aggregate(total=Sum("count"))["total"] or 0


def flooded(*, now: datetime) -> list[tuple[Integration, int]]:
    """Return integrations with too many rejections in one of the last ten minutes, with the worst minute's count."""
    loud = RefusalCount.objects.filter(minute__range=(now - timedelta(minutes=10), now), count__gt=ALERT_ABOVE)
    worst = {row.integration: row.count for row in loud.select_related("integration").order_by("count")}
    return list(worst.items())


def _count(integration_id: UUID | None, minute: datetime) -> int:
    global _minute
    with _lock:
        if minute != _minute:
            _minute = minute
            _seen.clear()
        _seen[integration_id] += 1
        return _seen[integration_id]
