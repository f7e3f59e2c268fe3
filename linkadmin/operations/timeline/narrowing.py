"""How a timeline is narrowed and turned round by what is in its address."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from linkadmin.paging import without_place

from .sources import SOURCES


@dataclass(frozen=True, slots=True)
class KindPill:
    label: str
    icon: str
    query: str  # with this kind added, or dropped if it is on
    is_on: bool


def kinds_of(query: QueryDict) -> list[str]:
    """Return the kinds a query narrows the timeline to. Raises ValueError if one does not exist."""
    kinds = query.getlist("kind")
    if unknown := set(kinds) - set(SOURCES):
        raise ValueError(f"no such kind: {sorted(unknown)}")
    return kinds


def kind_pills(query: QueryDict, kinds: Sequence[str]) -> list[KindPill]:
    """Return a pill for each kind."""
    pills = []
    for source in SOURCES.values():
        is_on = source.kind in kinds
        there = without_place(query)
        wanted = [kind for kind in kinds if kind != source.kind] if is_on else [*kinds, source.kind]
        there.setlist("kind", wanted)
        pills.append(KindPill(str(source.label), source.icon, f"?{there.urlencode()}", is_on))
    return pills


def every_kind(query: QueryDict) -> str:
    """Return a query that narrows the timeline to nothing."""
    there = without_place(query)
    there.pop("kind", None)
    return f"?{there.urlencode()}"


def switched(query: QueryDict, name: str, value: str) -> str:
    """Return a query with a value in it that was not, or without it."""
    there = query.copy()
    if there.get(name) == value:
        del there[name]
    else:
        there[name] = value
    return f"?{there.urlencode()}"
