"""Runs calls in threads of the process that received the form, so that no secret leaves it.

The request's thread waits a moment for the result; then the page polls. If the process dies, the secrets are gone and
the lease on the operation's row expires.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.conf import settings

from linkadmin.database import release_connections, return_connections
from linkadmin.web import storage

from .rate_limiter import free_slot
from .slots import Slot, using_slot

logger = structlog.get_logger(__name__)

PAGES_THAT_WAIT = 4  # per process; the other threads serve pages that needn't wait

_pool = ThreadPoolExecutor(max_workers=settings.CALLS_AT_ONCE, thread_name_prefix="provider-call")
_lock = threading.Lock()
_running: dict[Future[None], UUID] = {}
_waiting = threading.BoundedSemaphore(PAGES_THAT_WAIT)


@contextmanager
def held(slot: Slot) -> Iterator[Slot]:
    """Use the slot for this thread's calls, and free it afterwards unless `start` took it over."""
    try:
        with using_slot(slot):
            yield slot
    finally:
        if not slot.is_taken_over:
            free_slot(slot)


def start(key: UUID, slot: Slot, work: Callable[[], None]) -> None:
    """Run `work` in a thread with this slot, which it frees."""
    slot.is_taken_over = True
    storage.call_may_have_left.set(True)
    with _lock:
        future = _pool.submit(_run, key, slot, work)
        _running[future] = key
    future.add_done_callback(_forget)


def wait_for(key: UUID, seconds: float) -> bool:
    """Wait for all work with this key; return whether it's finished. Work of other processes counts as finished.

    Returns at once if too many threads wait already: the page polls instead.
    """
    with _lock:
        futures = [future for future, of in _running.items() if of == key]
    if not _waiting.acquire(blocking=False):
        return all(future.done() for future in futures)
    try:
        return_connections()
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
    except Exception as error:  # noqa: BLE001 - nobody else would see it; its message may contain typed values
        logger.error("call.broken", operation_id=str(key), error=type(error).__name__)
    finally:
        free_slot(slot)
        release_connections()
