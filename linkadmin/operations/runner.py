"""Where a call to a provider runs: a thread of the process that took the form, so that no secret leaves it.

The page's own thread waits two seconds for the end and then lets the customer's support agent go on. When the
process dies the secrets die with it, and the operation becomes UNKNOWN by its lease.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from uuid import UUID

import structlog
from django.conf import settings

from linkadmin.database import release_connections
from linkadmin.links import pauses, traffic
from linkadmin.links.models import Integration
from linkadmin.providers.gate import Hold

from . import refusals

logger = structlog.get_logger(__name__)

_pool = ThreadPoolExecutor(max_workers=settings.CALLS_AT_ONCE, thread_name_prefix="provider-call")
_lock = threading.Lock()
_running: dict[UUID, Future[None]] = {}


class Place:
    """One of an integration's places for calls, free again when the work in it is over."""

    def __init__(self, row: traffic.Place) -> None:
        self.row = row
        self.taken_over = False


@contextmanager
def place(integration_id: UUID, *, call: str = "", seconds: float = 0.0) -> Iterator[Place]:
    """Hold a place for calls to an integration, for `seconds` or those of a read.

    A named call is let in with it, so that nothing is begun that would then be held back. Raises `TooManyCalls` when no
    place gets free within a second, `Paused` when the named call would be held back, `IntegrationOff` for refused keys.
    """
    row = traffic.take_place(integration_id, call=call, seconds=seconds or settings.PROVIDER_READ_SECONDS)
    if isinstance(row, Hold):
        raise _refusal(integration_id, row)
    held = Place(row)
    try:
        with traffic.standing_in(row):
            yield held
    finally:
        if not held.taken_over:
            row.free()


def start(key: UUID, held: Place, work: Callable[[], None]) -> None:
    """Run `work` beside the page, in the place held for it."""
    held.taken_over = True
    with _lock:
        _running[key] = _pool.submit(_run, key, held.row, work)


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


def _run(key: UUID, row: traffic.Place, work: Callable[[], None]) -> None:
    try:
        with traffic.standing_in(row):
            work()
    except Exception as error:  # noqa: BLE001 - nobody else would see it; its message may hold what was typed
        logger.error("call.broken", operation_id=str(key), error=type(error).__name__)
    finally:
        row.free()
        release_connections()
        with _lock:
            _running.pop(key, None)


def _refusal(integration_id: UUID, hold: Hold) -> refusals.Refusal:
    if isinstance(hold, pauses.Pause):
        return refusals.Paused(hold.words(Integration.objects.get(pk=integration_id)))
    return refusals.IntegrationOff() if hold.reason == pauses.KEYS_REFUSED else refusals.TooManyCalls()
