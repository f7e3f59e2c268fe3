"""Customers whose names the current response shows. Code that writes a name notes it here."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

_shown: ContextVar[set[UUID] | None] = ContextVar("shown_customers", default=None)


def note(customers: Iterable[UUID]) -> None:
    shown = _shown.get()
    if shown is not None:
        shown.update(customers)


@contextmanager
def collected() -> Iterator[set[UUID]]:
    shown: set[UUID] = set()
    token = _shown.set(shown)
    try:
        yield shown
    finally:
        _shown.reset(token)
