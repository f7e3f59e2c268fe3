"""Celery's beat, made robust against a clock that is set back and a full disk.

The original would wait until the old time comes again, and exit if it can't store its state.
"""

import dbm
import math
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from celery.beat import PersistentScheduler

if TYPE_CHECKING:
    from linkadmin.heartbeats.signs import HeartbeatWriter

BACK = 5.0  # seconds
EVERY_SECONDS = 5.0  # maximum time between two heartbeats
SHORTEN_SECONDS = 10.0  # between attempts at the log, which keep writers waiting while an old reader stays

logger = structlog.get_logger(__name__)


class Scheduler(PersistentScheduler):
    """Forgets runs that lie in the future, at the first tick and after each jump back."""

    _store: Any
    schedule_filename: str
    _last_tick = math.inf
    _shorten_at = -math.inf
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
            self._heap = None  # sorted by times that won't come soon
        self._last_tick = now
        seconds: float = super().tick(*args, **kwargs)
        self._show_alive()
        self._shorten_wal()
        return min(seconds, EVERY_SECONDS)

    def _shorten_wal(self) -> None:
        # Here and not in a task: busy workers are when the log grows.
        from django.db import connection

        from linkadmin.database import shorten_wal

        if connection.vendor != "sqlite" or time.monotonic() < self._shorten_at:
            return
        self._shorten_at = time.monotonic() + SHORTEN_SECONDS
        try:
            shorten_wal(Path(connection.settings_dict["NAME"]))
        except (OSError, sqlite3.Error) as error:
            logger.warning("beat.log_not_shortened", error=type(error).__name__)

    def _show_alive(self) -> None:
        from linkadmin.heartbeats.models import ProgramKind
        from linkadmin.heartbeats.signs import HeartbeatWriter, beat_name

        self._heartbeat = self._heartbeat or HeartbeatWriter(ProgramKind.BEAT, beat_name())
        self._heartbeat.beat()

    def sync(self) -> None:
        """Store the state, or continue without: after a restart, due entries start again."""
        try:
            super().sync()
        except (OSError, *dbm.error) as error:
            logger.error("beat.state_not_stored", error=type(error).__name__)
            self._store.writeback = True  # shelve left this off, and would store nothing from now on
