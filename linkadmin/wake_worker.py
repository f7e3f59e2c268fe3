"""Celery's application, and the messages that wake a worker for a row.

They carry IDs only. Losing or repeating one changes nothing: the row holds the work.
"""

import os
import threading
import time
from uuid import UUID

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkadmin.settings")

# Ours doesn't lose workers to incomplete messages.
TRANSPORT_ALIASES["filesystem"] = "linkadmin.broker:Transport"

app = Celery("linkadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

logger = structlog.get_logger(__name__)


def wake_worker(task: str, row: UUID | None = None) -> None:
    """Wake a worker for a row, or for all due rows. Without a broker, the schedule does so a little later."""
    args = [] if row is None else [str(row)]
    try:
        app.send_task(task, args=args, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("wake.lost", task=task, row="".join(args), error=type(error).__name__)


class WakeSoon:
    """Wakes a task soon after work arrives, at most once per `pause` seconds, without blocking the caller."""

    def __init__(self, task: str, pause: float) -> None:
        self._task = task
        self._pause = pause
        self._lock = threading.Lock()
        self._last = -pause  # monotonic seconds
        self._is_set = False

    def set(self) -> None:
        with self._lock:
            if self._is_set:
                return
            self._is_set = True
            delay = max(0.0, self._last + self._pause - time.monotonic())
        timer = threading.Timer(delay, self._wake)
        timer.daemon = True
        timer.start()

    def _wake(self) -> None:
        with self._lock:  # before sending: work that arrives now may be too late for this message
            self._is_set, self._last = False, time.monotonic()
        wake_worker(self._task)
