"""Request slots: a call is made in one, and a slot of a process that died is free again when its lease ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from linkadmin.moments import LONGEST_CALL
from linkadmin.providers.http.admission import Denial

from .denials import NO_SLOT, OWN_SHARE
from .models import CallSlot

SLOT_WAIT_SECONDS = 1.0  # in the background; a page never waits for one
SLOTS_FOR_PEOPLE = 3  # stay free of calls in the background


@dataclass(slots=True)
class Slot:
    """One of an integration's slots for calls."""

    integration_id: UUID
    id: UUID = field(default_factory=uuid4)
    is_handed_over: bool = False  # to a thread, which frees it


_slot: ContextVar[Slot | None] = ContextVar("slot", default=None)
acting_person: ContextVar[UUID | None] = ContextVar("acting_person", default=None)


@contextmanager
def using_slot(slot: Slot) -> Iterator[None]:
    """Make the calls of this thread in a slot that was taken before."""
    token = _slot.set(slot)
    try:
        yield
    finally:
        _slot.reset(token)


@contextmanager
def acting_for(person_id: UUID) -> Iterator[None]:
    """Count the slots that calls of this thread take as those of a person."""
    token = acting_person.set(person_id)
    try:
        yield
    finally:
        acting_person.reset(token)


def slot_in_use(integration_id: UUID) -> Slot | None:
    """Return the slot that this thread's calls to an integration are made in, if one was taken for them."""
    slot = _slot.get()
    return slot if slot is not None and slot.integration_id == integration_id else None


def share_of_one() -> int:
    """Return how many slots one person may have."""
    return max(1, int(settings.CALLS_AT_ONCE_PER_INTEGRATION) // 2)


def denial_of(
    integration_id: UUID, person_id: UUID | None, *, in_background: bool = False, drop_expired: bool = False
) -> Denial | None:
    """Tell by one read why a call would find no slot now: certain only while the caller has the integration locked."""
    now = timezone.now()
    taken = CallSlot.objects.filter(integration=integration_id)
    rows = list(taken.values_list("lease_until", "person_id"))
    # Leases end with processes that died, and none is longer than the longest call, whatever the clock was.
    holders = [holder for lease_until, holder in rows if now < lease_until <= now + LONGEST_CALL]
    if drop_expired and len(holders) < len(rows):
        taken.exclude(lease_until__gt=now, lease_until__lte=now + LONGEST_CALL).delete()
    slots: int = settings.CALLS_AT_ONCE_PER_INTEGRATION
    retry_at = now + timedelta(seconds=SLOT_WAIT_SECONDS)
    if len(holders) >= (max(1, slots - SLOTS_FOR_PEOPLE) if in_background else slots):
        return Denial(NO_SLOT, retry_at)
    return Denial(OWN_SHARE, retry_at) if person_id and holders.count(person_id) >= share_of_one() else None
