"""Writing heartbeats: beat with its ticks, a worker by a thread of its own and with a task that beat schedules."""

import socket
import threading
import time
from datetime import timedelta

import structlog
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.storage import UNUSABLE

from .models import Heartbeat, Kind

EVERY_SECONDS = 5.0
FORGOTTEN_AFTER = timedelta(days=1)

logger = structlog.get_logger(__name__)


def alive(kind: Kind, name: str, *, has_started: bool = False, has_worked: bool = False) -> None:
    """Write that a program is alive. Forgets others of its kind that have been silent for a day."""
    now = timezone.now()
    seen = {"alive_at": now} | ({"started_at": now} if has_started else {}) | ({"worked_at": now} if has_worked else {})
    Heartbeat.objects.update_or_create(kind=kind, name=name, defaults=seen, create_defaults={"started_at": now} | seen)
    if has_started:
        Heartbeat.objects.filter(kind=kind, alive_at__lt=now - FORGOTTEN_AFTER).delete()


class Pulse:
    """One program's heartbeats, at most one every few seconds. Without the database it goes on, and tries again."""

    def __init__(self, kind: Kind, name: str) -> None:
        self._kind, self._name = kind, name
        self._last: float | None = None  # monotonic

    def beat(self) -> None:
        now = time.monotonic()
        if self._last is not None and now - self._last < EVERY_SECONDS:
            return
        try:
            alive(self._kind, self._name, has_started=self._last is None)
        except UNUSABLE as error:
            logger.warning("heartbeat.lost", kind=self._kind.value, error=type(error).__name__)
        else:
            self._last = now
        release_connections()

    def keep_beating(self) -> None:
        """Beat from a thread until the process ends."""

        def beat_on() -> None:
            while True:
                self.beat()
                time.sleep(EVERY_SECONDS)

        threading.Thread(target=beat_on, name="heartbeat", daemon=True).start()


def beat_name() -> str:
    return f"beat@{socket.gethostname()}"
