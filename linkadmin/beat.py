"""Celery's beat, which goes on when the clock is set back, and when the disk is full.

Its own would wait until the old time comes again, and end when it can't keep what it last did.
"""

import dbm
import math
import time
from typing import Any

import structlog
from celery.beat import PersistentScheduler

BACK = 5.0  # seconds

logger = structlog.get_logger(__name__)


class Scheduler(PersistentScheduler):
    """Forgets what it did at moments that lie ahead, at the first tick and after each jump back."""

    _store: Any
    _ticked = math.inf

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.time()
        if now < self._ticked - BACK:
            for entry in self.schedule.values():
                last, current = entry.last_run_at, entry.default_now()
                entry.last_run_at = current if last is None else min(last, current)
            self._heap = None  # in the order of moments that will not come soon
        self._ticked = now
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def sync(self) -> None:
        """Keep what was last done, or go on without: after a restart, beat starts what is due by its schedule again."""
        try:
            super().sync()
        except (OSError, *dbm.error) as error:
            logger.error("beat.not_kept", error=type(error).__name__)
            self._store.writeback = True  # which shelve leaves off: it would keep nothing any more
