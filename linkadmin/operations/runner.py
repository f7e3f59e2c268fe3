"""Where a call to a provider runs: a thread of the process that took the form, so that no secret leaves it.

The page's own thread waits two seconds for the end and then lets the customer's support agent go on. When the
process dies the secrets die with it, and the operation becomes UNKNOWN by its lease.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.conf import settings

from linkadmin.database import release_connections

from .refusals import TooManyCalls

logger = structlog.get_logger(__name__)

PLACE_WAIT_SECONDS = 1.0

_pool = ThreadPoolExecutor(max_workers=settings.CALLS_AT_ONCE, thread_name_prefix="provider-call")
_lock = threading.Lock()
_running: dict[UUID, Future[None]] = {}
_places: dict[UUID, threading.Semaphore] = defaultdict(
    lambda: threading.Semaphore(settings.CALLS_AT_ONCE_PER_INTEGRATION)
)


class Place:
    """One of an integration's places for a call, free again when the call is over."""

    def __init__(self, semaphore: threading.Semaphore) -> None:
        self._semaphore = semaphore
        self.taken_over = False

    def free(self) -> None:
        self._semaphore.release()


@contextmanager
def place(integration_id: UUID) -> Iterator[Place]:
    """Hold a place for a call to an integration. Raises `TooManyCalls` when none gets free within a second."""
    with _lock:
        semaphore = _places[integration_id]
    if not semaphore.acquire(timeout=PLACE_WAIT_SECONDS):
        raise TooManyCalls
    held = Place(semaphore)
    try:
        yield held
    finally:
        if not held.taken_over:
            held.free()


def start(key: UUID, held: Place, work: Callable[[], None]) -> None:
    """Run `work` beside the page, in the place held for it."""
    held.taken_over = True
    with _lock:
        _running[key] = _pool.submit(_run, key, held, work)


def wait_for(key: UUID, seconds: float) -> bool:
    """Wait until the work of that key is over; tell whether it is. Work of another process counts as over."""
    future = _running.get(key)
    if future is None:
        return True
    release_connections()
    return bool(wait([future], timeout=seconds).done)


def wait_for_all(seconds: float) -> None:
    """Wait until nothing runs here any more, for at most `seconds`."""
    deadline = time.monotonic() + seconds
    for future in list(_running.values()):
        wait([future], timeout=max(0.0, deadline - time.monotonic()))


def _run(key: UUID, held: Place, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - nobody else would see it; its message may hold what was typed
        logger.error("call.broken", operation_id=str(key), error=type(error).__name__)
    finally:
        held.free()
        release_connections()
        with _lock:
            _running.pop(key, None)
