"""A call runs in a thread of the process that took the form, so that no secret leaves it.

The page's own thread waits a moment for the end and then lets the customer's support agent go on. When the process
dies the secrets die with it; the row of the work has a lease for that.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.conf import settings

from linkadmin.database import release_connections
from linkadmin.web import storage

from .rate_limiter import free_slot
from .slots import Slot, using_slot

logger = structlog.get_logger(__name__)

PAGES_THAT_WAIT = 4  # of one process; the threads of the others are for pages that have what they show

_pool = ThreadPoolExecutor(max_workers=settings.CALLS_AT_ONCE, thread_name_prefix="provider-call")
_lock = threading.Lock()
_running: dict[Future[None], UUID] = {}
_waiting = threading.BoundedSemaphore(PAGES_THAT_WAIT)


@contextmanager
def held(slot: Slot) -> Iterator[Slot]:
    """Make this thread's calls in the slot, and free it unless it was handed over to work that was started."""
    try:
        with using_slot(slot):
            yield slot
    finally:
        if not slot.is_handed_over:
            free_slot(slot)


def start(key: UUID, slot: Slot, work: Callable[[], None]) -> None:
    """Run `work` beside the page, in the slot held for it."""
    slot.is_handed_over = True
    storage.call_may_have_left.set(True)
    with _lock:
        future = _pool.submit(_run, key, slot, work)
        _running[future] = key
    future.add_done_callback(_forget)


def wait_for(key: UUID, seconds: float) -> bool:
    """Wait until all work of that key is over; tell whether it is. Work of another process counts as over.

    Where others wait already, this returns at once: the page polls for the end.
    """
    with _lock:
        futures = [future for future, of in _running.items() if of == key]
    if not _waiting.acquire(blocking=False):
        return all(future.done() for future in futures)
    try:
        release_connections()
        return not wait(futures, timeout=seconds).not_done
    finally:
        _waiting.release()


def _forget(future: Future[None]) -> None:
    with _lock:
        del _running[future]


def _run(key: UUID, slot: Slot, work: Callable[[], None]) -> None:
    try:
        with using_slot(slot):
            work()
    except Exception as error:  # noqa: BLE001 - nobody else would see it; its message may hold what was typed
        logger.error("call.broken", operation_id=str(key), error=type(error).__name__)
    finally:
        free_slot(slot)
        release_connections()
