"""What must be shown a little later and never be stored: kept in the memory of one process until its time is over.

The processes beside it on the machine find it there. It dies with the process that has it; the page then says that it
is gone and how to get a new one.
"""

import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.utils import timezone

from linkadmin import siblings
from linkadmin.providers.types import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a bank shows the customer while it waits for a code: a number, a picture, a text."""

    instructions: str = field(repr=False)
    value: str = field(repr=False)


class Shelf(Generic[T]):
    """Things by their keys, each until a moment, on the shelf of the process that put it there.

    They go to another process as JSON, which is all that `pack` makes of them.
    """

    def __init__(self, name: str, *, pack: Callable[[T], Any], unpack: Callable[[Any], T]) -> None:
        self._name, self._pack, self._unpack = name, pack, unpack
        self._lock = threading.Lock()
        self._kept: dict[UUID, tuple[T, datetime]] = {}
        siblings.hold(name, find=self._find_for_sibling, forget=self._forget_for_sibling)

    def keep(self, key: UUID, thing: T, *, until: datetime) -> None:
        with self._lock:
            self._forget_what_is_over()
            self._kept[key] = thing, until
        siblings.be_there()

    def find(self, key: UUID) -> T | None:
        """Return what is kept under a key, here or by a sibling, if its time is not over."""
        if (thing := self._find_here(key)) is not None:
            return thing
        packed = siblings.find(self._name, str(key))
        return None if packed is None else self._unpack(packed)

    def forget(self, key: UUID) -> None:
        """Have it forgotten wherever it is kept. Call it outside of a transaction: a sibling may take its time."""
        if not self._forget_here(key):
            siblings.forget(self._name, str(key))

    def clear(self) -> None:
        """Forget everything, as a new process does."""
        with self._lock:
            self._kept.clear()

    def _find_here(self, key: UUID) -> T | None:
        with self._lock:
            self._forget_what_is_over()
            kept = self._kept.get(key)
        return kept[0] if kept else None

    def _forget_here(self, key: UUID) -> bool:
        with self._lock:
            return self._kept.pop(key, None) is not None

    def _forget_what_is_over(self) -> None:
        now = timezone.now()
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}

    def _find_for_sibling(self, key: str) -> Any:
        thing = self._find_here(UUID(key))
        return None if thing is None else self._pack(thing)

    def _forget_for_sibling(self, key: str) -> None:
        self._forget_here(UUID(key))


# By the id of the pending challenge.
CHALLENGES: Shelf[Shown] = Shelf("challenges", pack=astuple, unpack=lambda packed: Shown(*packed))
# By the id of the operation.
REPAIR_ADDRESSES: Shelf[Secret] = Shelf("repair addresses", pack=Secret.reveal, unpack=Secret)
