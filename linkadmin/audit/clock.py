"""Detects jumps of the server clock. Workers log them, and administrators see them for a day."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from linkadmin.moments import CLOCKS_APART, repair_times

from .models import ClockMark

JUMP = CLOCKS_APART  # less is normal drift
SHOWN_FOR = timedelta(days=1)
REST = timedelta(minutes=5)  # between two reported jumps: if machines' clocks differ, every check finds one

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Seen:
    """This process's last check: the wall clock and the monotonic clock."""

    at: datetime | None = None
    steady: float = 0.0


_seen = _Seen()


def watch(*, now: datetime) -> None:
    """Detect a jump since the last check; after a jump back, correct timestamps too far ahead."""
    by = _jump_here(now)
    with transaction.atomic():
        mark = ClockMark.objects.select_for_update(no_key=True).filter(pk=1).first() or ClockMark(seen_at=now)
        if not by and mark.seen_at - now > JUMP:  # another process, or an earlier one, saw a later time
            by = now - mark.seen_at
        is_news = bool(by) and (mark.jumped_at is None or not timedelta(0) <= now - mark.jumped_at < REST)
        if is_news:
            mark.jumped_at, mark.jumped_by = now, by.total_seconds()
        mark.seen_at = now
        mark.save()
    if is_news:
        repaired = repair_times(now=now) if by < timedelta(0) else 0
        logger.error("clock.jumped", seconds=round(by.total_seconds()), repaired=repaired)


def last_jump(*, now: datetime) -> ClockMark | None:
    return ClockMark.objects.filter(jumped_at__gt=now - SHOWN_FOR, jumped_at__lte=now + JUMP).first()


def _jump_here(now: datetime) -> timedelta:
    """Return how far the wall clock moved against the monotonic clock since the last check; zero within JUMP."""
    steady, before = time.monotonic(), _seen.at
    passed = timedelta(seconds=steady - _seen.steady)
    _seen.at, _seen.steady = now, steady
    if before is None:
        return timedelta(0)
    by = (now - before) - passed
    return by if abs(by) > JUMP else timedelta(0)
