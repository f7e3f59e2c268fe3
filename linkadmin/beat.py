"""Celery's beat, which goes on when the clock is set back, and when the disk is full.

Its own would wait until the old time comes again, and end when it can't keep what it last did.
"""

import dbm
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from celery.beat import PersistentScheduler

if TYPE_CHECKING:
    from linkadmin.heartbeats.signs import HeartbeatWriter

BACK = 5.0  # seconds
EVERY_SECONDS = 5.0  # between two signs of life, at most

logger = structlog.get_logger(__name__)


class Scheduler(PersistentScheduler):
    """Forgets what it did at moments that lie ahead, at the first tick and after each jump back."""

    _store: Any
    schedule_filename: str
    _last_tick = math.inf
    _heartbeat: "HeartbeatWriter | None" = None

    def setup_schedule(self) -> None:
        Path(self.schedule_filename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.time()
        if now < self._last_tick - BACK:
            for entry in self.schedule.values():
                last, current = entry.last_run_at, entry.default_now()
                entry.last_run_at = current if last is None else min(last, current)
            self._heap = None  # in the order of moments that will not come soon
        self._last_tick = now
        seconds: float = super().tick(*args, **kwargs)
        self._show_alive()
        return min(seconds, EVERY_SECONDS)

    def _show_alive(self) -> None:
        from linkadmin.heartbeats.models import ProgramKind
        from linkadmin.heartbeats.signs import HeartbeatWriter, beat_name

        self._heartbeat = self._heartbeat or HeartbeatWriter(ProgramKind.BEAT, beat_name())
        self._heartbeat.beat()

    def sync(self) -> None:
        """Keep what was last done, or go on without: after a restart, beat starts what is due by its schedule again."""
        try:
            super().sync()
        except (OSError, *dbm.error) as error:
            logger.error("beat.not_kept", error=type(error).__name__)
            self._store.writeback = True  # which shelve leaves off: it would keep nothing any more
