"""Request slots: one per call in flight. A lease frees the slots of processes that died."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery
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
    is_free: bool = False

    def note_free(self) -> None:
        self.is_free = True


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


@dataclass(frozen=True, slots=True)
class SlotUse:
    """An integration's slots in use, and those of one person. Certain only while the caller has locked it."""

    taken: int
    of_person: int

    def denial(self, *, in_background: bool = False) -> Denial | None:
        slots: int = settings.CALLS_AT_ONCE_PER_INTEGRATION
        retry_at = timezone.now() + timedelta(seconds=SLOT_WAIT_SECONDS)
        if self.taken >= (max(1, slots - SLOTS_FOR_PEOPLE) if in_background else slots):
            return Denial(NO_SLOT, retry_at)
        return Denial(OWN_SHARE, retry_at) if self.of_person >= share_of_one() else None


def in_use(now: datetime, latest: datetime) -> Q:
    """Leases that hold. One that ends after `latest` comes from a clock that was ahead."""
    return Q(lease_until__gt=now, lease_until__lte=latest)


def use_of(integration_id: UUID, person_id: UUID) -> SlotUse:
    now = timezone.now()
    return SlotUse(*(_USE.row(integration_id, person_id, now, now + LONGEST_CALL) or (0, 0)))


def _use(integration: UUID, person: UUID, now: datetime, latest: datetime) -> "QuerySet[Any]":
    taken = CallSlot.objects.filter(in_use(now, latest), integration=integration).order_by().values("integration")
    counted = taken.annotate(taken=Count("pk"), of_person=Count("pk", filter=Q(person=person)))
    return counted.values_list("taken", "of_person")


_USE = CompiledQuery(_use, types=(UUID, UUID, datetime, datetime))
