"""Writes heartbeats: the scheduler with each tick, a worker from its own thread and on task progress."""

import os
import socket
import threading
import time
from datetime import timedelta

import structlog
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.web.storage import UNUSABLE

from .models import Heartbeat, ProgramKind

EVERY_SECONDS = 5.0
FORGOTTEN_AFTER = timedelta(days=1)

logger = structlog.get_logger(__name__)


def alive(kind: ProgramKind, name: str, *, has_started: bool = False, has_worked: bool = False) -> None:
    """Store a heartbeat. A process that just started also deletes rows of its kind older than a day."""
    now = timezone.now()
    seen: dict[str, object] = {"alive_at": now}
    seen |= {"started_at": now, "pid": os.getpid()} if has_started else {}
    seen |= {"worked_at": now} if has_worked else {}
    rows = Heartbeat.objects.filter(kind=kind, name=name)
    if not rows.update(**seen):
        rows.update_or_create(kind=kind, name=name, defaults=seen, create_defaults={"started_at": now} | seen)
    if has_started:
        Heartbeat.objects.filter(kind=kind, alive_at__lt=now - FORGOTTEN_AFTER).delete()


class HeartbeatWriter:
    """Writes one process's heartbeats, at most one every EVERY_SECONDS. Without the database it keeps trying."""

    def __init__(self, kind: ProgramKind, name: str, *, of_work: bool = False) -> None:
        self._kind, self._name, self._of_work = kind, name, of_work
        self._last: float | None = None  # monotonic

    def beat(self) -> None:
        now = time.monotonic()
        if self._last is not None and now - self._last < EVERY_SECONDS:
            return
        try:
            alive(
                self._kind, self._name, has_started=not self._of_work and self._last is None, has_worked=self._of_work
            )
        except UNUSABLE as error:
            logger.warning("heartbeat.lost", kind=self._kind.value, error=type(error).__name__)
        else:
            self._last = now
        release_connections()

    def keep_beating(self) -> None:
        def beat_on() -> None:
            while True:
                self.beat()
                time.sleep(EVERY_SECONDS)

        threading.Thread(target=beat_on, name="heartbeat", daemon=True).start()


_of_tasks: HeartbeatWriter | None = None  # in the process that runs a worker's tasks


def note_task(worker: str) -> None:
    global _of_tasks
    _of_tasks = _of_tasks or HeartbeatWriter(ProgramKind.WORKER, worker, of_work=True)
    _of_tasks.beat()


def note_progress() -> None:
    """Note progress within a task, so that a worker busy with long tasks counts as alive."""
    if _of_tasks is not None:
        _of_tasks.beat()


def beat_name() -> str:
    return f"beat@{socket.gethostname()}"
