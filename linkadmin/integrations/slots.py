"""Request slots: one per call in flight. A lease frees the slots of processes that died."""

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

SLOT_WAIT_SECONDS = 1.0  # in the background; pages never wait for a slot
SLOTS_FOR_PEOPLE = 3  # never used by background work


@dataclass(slots=True)
class Slot:
    """One of an integration's request slots."""

    integration_id: UUID
    id: UUID = field(default_factory=uuid4)
    is_taken_over: bool = False  # to a thread that frees it


_slot: ContextVar[Slot | None] = ContextVar("slot", default=None)
acting_person: ContextVar[UUID | None] = ContextVar("acting_person", default=None)


@contextmanager
def using_slot(slot: Slot) -> Iterator[None]:
    token = _slot.set(slot)
    try:
        yield
    finally:
        _slot.reset(token)


@contextmanager
def acting_for(person_id: UUID) -> Iterator[None]:
    token = acting_person.set(person_id)
    try:
        yield
    finally:
        acting_person.reset(token)


def slot_in_use(integration_id: UUID) -> Slot | None:
    slot = _slot.get()
    return slot if slot is not None and slot.integration_id == integration_id else None


def share_of_one() -> int:
    return max(1, int(settings.CALLS_AT_ONCE_PER_INTEGRATION) // 2)


def denial_of(
    integration_id: UUID, person_id: UUID | None, *, in_background: bool = False, drop_expired: bool = False
) -> Denial | None:
    """Certain only while the caller has locked the integration."""
    now = timezone.now()
    taken = CallSlot.objects.filter(integration=integration_id)
    rows = list(taken.values_list("lease_until", "person_id"))
    # A longer lease than the longest call comes from a clock that was ahead.
    holders = [holder for lease_until, holder in rows if now < lease_until <= now + LONGEST_CALL]
    if drop_expired and len(holders) < len(rows):
        taken.exclude(lease_until__gt=now, lease_until__lte=now + LONGEST_CALL).delete()
    slots: int = settings.CALLS_AT_ONCE_PER_INTEGRATION
    retry_at = now + timedelta(seconds=SLOT_WAIT_SECONDS)
    if len(holders) >= (max(1, slots - SLOTS_FOR_PEOPLE) if in_background else slots):
        return Denial(NO_SLOT, retry_at)
    return Denial(OWN_SHARE, retry_at) if person_id and holders.count(person_id) >= share_of_one() else None
