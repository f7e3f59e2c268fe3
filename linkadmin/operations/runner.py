"""Where a call to a provider runs: a thread of the process that took the form, so that no secret leaves it.

The page's own thread waits two seconds for the end and then lets the customer's support agent go on. When the
process dies the secrets die with it, and the operation becomes UNKNOWN by its lease.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings

from linkadmin.accounts.models import User
from linkadmin.database import release_connections
from linkadmin.links import denials, rate_limiter, slots
from linkadmin.links.models import Integration
from linkadmin.providers.http.admission import Denial
from linkadmin.web import storage

from . import refusals

logger = structlog.get_logger(__name__)

PAGES_THAT_WAIT = 4  # of one process; the threads of the others are for pages that have what they show

_pool = ThreadPoolExecutor(max_workers=settings.CALLS_AT_ONCE, thread_name_prefix="provider-call")
_lock = threading.Lock()
_running: dict[UUID, set[Future[None]]] = {}
_waiting = threading.BoundedSemaphore(PAGES_THAT_WAIT)


class HeldSlot:
    """One of an integration's slots for calls, free again when the work in it is over."""

    def __init__(self, slot: slots.Slot) -> None:
        self.slot = slot
        self.taken_over = False


@contextmanager
def slot_for(integration_id: UUID, *, person: User, call: str = "", seconds: float = 0.0) -> Iterator[HeldSlot]:
    """Hold a slot for a person's calls to an integration, for `seconds` or those of a read.

    Never waits: raises `TooManyCalls` when no slot is free, or the person has half of them, `Paused` when the named
    call would be denied by now, `IntegrationOff` for refused keys.
    """
    seconds = seconds or settings.PROVIDER_READ_SECONDS
    slot = rate_limiter.take_slot(integration_id, call=call, seconds=seconds, person_id=person.pk)
    if isinstance(slot, Denial):
        raise _refusal(integration_id, slot)
    held = HeldSlot(slot)
    try:
        with slots.using_slot(slot):
            yield held
    finally:
        if not held.taken_over:
            rate_limiter.free_slot(slot)


def require_free_slot(integration_id: UUID, *, person: User) -> None:
    """Raise what `slot_for` would for want of a slot, by a read alone: before anything is locked, opened or written.

    Those who come while all slots are taken would otherwise wait for each other's locks to learn that.
    """
    denial = slots.denial_of(integration_id, person.pk)
    if denial is not None:
        raise _refusal(integration_id, denial)


def start(key: UUID, held: HeldSlot, work: Callable[[], None]) -> None:
    """Run `work` beside the page, in the slot held for it."""
    held.taken_over = True
    storage.note_call()
    with _lock:
        future = _pool.submit(_run, key, held.slot, work)
        _running.setdefault(key, set()).add(future)
    future.add_done_callback(partial(_forget, key))


def wait_for(key: UUID, seconds: float) -> bool:
    """Wait until all work of that key is over; tell whether it is. Work of another process counts as over.

    Where others wait already, it is not waited for: the page asks again by itself.
    """
    with _lock:
        futures = list(_running.get(key, ()))
    if not _waiting.acquire(blocking=False):
        return all(future.done() for future in futures)
    try:
        release_connections()
        return not wait(futures, timeout=seconds).not_done
    finally:
        _waiting.release()


def wait_for_all(seconds: float) -> None:
    """Wait until nothing runs here any more, for at most `seconds`."""
    with _lock:
        futures = [future for each in _running.values() for future in each]
    wait(futures, timeout=seconds)


def _forget(key: UUID, future: Future[None]) -> None:
    with _lock:
        others = _running.get(key, set()) - {future}
        if others:
            _running[key] = others
        else:
            _running.pop(key, None)


def _run(key: UUID, slot: slots.Slot, work: Callable[[], None]) -> None:
    try:
        with slots.using_slot(slot):
            work()
    except Exception as error:  # noqa: BLE001 - nobody else would see it; its message may hold what was typed
        logger.error("call.broken", operation_id=str(key), error=type(error).__name__)
    finally:
        rate_limiter.free_slot(slot)
        release_connections()


def _refusal(integration_id: UUID, denial: Denial) -> refusals.Refusal:
    if denial.why:
        return refusals.Paused(denials.describe(denial, Integration.objects.get(pk=integration_id)))
    if denial.reason == denials.KEYS_REFUSED:
        return refusals.IntegrationOff()
    return refusals.TooManyOfYours() if denial.reason == denials.OWN_SHARE else refusals.TooManyCalls()
