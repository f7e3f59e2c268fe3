"""Chooses the index for a filter: the one that finds the fewest links, so that no page walks past many others.

If few links match, they're found through it and sorted. Otherwise, the index of the list's order is walked, which has
what the filter compares. Databases can't choose between the two: they don't know how many match.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Lookup, Q, QuerySet
from django.db.models.lookups import In, LessThan, LessThanOrEqual, Range

from linkadmin.paging import Part
from linkadmin.search.lookups import Select, unindexed

LOOKUPS: Mapping[str, "type[Lookup[Any]]"] = {"in": In, "lt": LessThan, "lte": LessThanOrEqual, "range": Range}
MOST_COMPARED = 5_000  # links, of each of several filters


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter that has an index: disjoint conditions that it answers, and one for testing what another index finds."""

    parts: tuple[Q, ...]
    tested: Q
    is_ordered: bool = True  # by urgency and time, as the work list is


def equal(column: str, pk: UUID, here: Q | None = None, *, is_ordered: bool = True) -> Narrowing:
    """`here` is what its index compares as well."""
    return Narrowing(((here or Q()) & Q((column, pk)),), is_one_of(column, [pk]), is_ordered)


def is_one_of(column: str, values: Sequence[Any]) -> Q:
    return tested(column, "in", list(values))


def tested(column: str, lookup: str, value: Any) -> Q:
    """A condition that SQLite chooses no index for. PostgreSQL tests it in the index of the order."""
    if connection.vendor == "postgresql":
        return Q((f"{column}__{lookup}", value))
    return Q(LOOKUPS[lookup](unindexed(column), value))


def smallest(links: "QuerySet[Any]", narrowings: Sequence[Narrowing], stretches: Sequence[Part]) -> Narrowing:
    """The one that leaves the fewest links. Of several that leave many, the first."""
    if len(narrowings) == 1:
        return narrowings[0]
    selects = [_limited(links, in_stretches(each, stretches), MOST_COMPARED) for each in narrowings]
    counted = _row(", ".join(f"({select.sql})" for select in selects), [p for select in selects for p in select.params])
    return narrowings[counted.index(min(counted))]


def are_few(links: "QuerySet[Any]", parts: Sequence[Part], most: int) -> bool:
    select = _limited(links, parts, most)
    return bool(_row(f"({select.sql})", select.params)[0] <= most)


def in_stretches(narrowing: Narrowing, stretches: Sequence[Part]) -> list[Part]:
    return [each for part in narrowing.parts for each in meeting(stretches, part)]


def meeting(stretches: Sequence[Part], condition: Q) -> list[Part]:
    return [replace(each, where=condition & each.where) for each in stretches]


def any_of(parts: Sequence[Q]) -> Q:
    return reduce(or_, parts)


def _limited(links: "QuerySet[Any]", parts: Sequence[Part], most: int) -> Select:
    """Count links, up to one more than `most`."""
    selects = [Select.of(links.filter(part.condition).values("pk")) for part in parts]
    union = " UNION ALL ".join(select.sql for select in selects)
    params = tuple(param for select in selects for param in select.params)
    return Select(f"SELECT COUNT(*) FROM (SELECT * FROM ({union}) each_part LIMIT {most + 1}) found", params)  # noqa: S608


def _row(expressions: str, params: Sequence[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expressions}", params)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
