"""What must be shown a little later and never be stored: kept in this process's memory until its time is over.

It dies with the process; the page then says that it is gone and how to get a new one.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.utils import timezone

from linkadmin.providers.types import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a bank shows the customer while it waits for a code: a number, a picture, a text."""

    instructions: str = field(repr=False)
    value: str = field(repr=False)


class Shelf(Generic[T]):
    """Things by their keys, each until a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[UUID, tuple[T, datetime]] = {}

    def keep(self, key: UUID, thing: T, *, until: datetime) -> None:
        with self._lock:
            self._forget_what_is_over()
            self._kept[key] = thing, until

    def find(self, key: UUID) -> T | None:
        """Return what is kept under a key, if its time is not over. What is over is forgotten, all of it."""
        with self._lock:
            self._forget_what_is_over()
            kept = self._kept.get(key)
        return kept[0] if kept else None

    def _forget_what_is_over(self) -> None:
        now = timezone.now()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}

    def forget(self, key: UUID) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything, as a new process does."""
        with self._lock:
            self._kept.clear()


CHALLENGES: Shelf[Shown] = Shelf()  # by the id of the pending challenge
REPAIR_ADDRESSES: Shelf[Secret] = Shelf()  # by the id of the operation
