"""Messages that wake a worker to look at a row now. Lost or doubled, one changes nothing: the row is the truth."""

import threading
import time
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def wake_worker(task: str, row: UUID | None = None) -> None:
    """Ask a worker to look at a row, or for rows that are due. Without a broker the schedule does so a little later."""
    args = [] if row is None else [str(row)]
    try:
        current_app.send_task(task, args=args, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("wake.lost", task=task, row="".join(args), error=type(error).__name__)


class WakeSoon:
    """Wakes a task soon after work came, and at most once per `pause` seconds. Who brings the work does not wait."""

    def __init__(self, task: str, pause: float) -> None:
        self._task = task
        self._pause = pause
        self._lock = threading.Lock()
        self._last = -pause  # monotonic seconds
        self._is_set = False

    def set(self) -> None:
        """Note that there is work."""
        with self._lock:
            if self._is_set:
                return
            self._is_set = True
            delay = max(0.0, self._last + self._pause - time.monotonic())
        timer = threading.Timer(delay, self._wake)
        timer.daemon = True
        timer.start()

    def _wake(self) -> None:
        with self._lock:  # before the message leaves: what comes now may be too late for it
            self._is_set, self._last = False, time.monotonic()
        wake_worker(self._task)
