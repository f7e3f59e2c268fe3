"""Celery's beat, which goes on when the clock is set back: its own would wait until the old time comes again."""

import math
import time
from typing import Any

from celery.beat import PersistentScheduler

BACK = 5.0  # seconds


class Scheduler(PersistentScheduler):
    """Forgets what it did at moments that lie ahead, at the first tick and after each jump back."""

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
