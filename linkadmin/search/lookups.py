"""Searches in two steps: find a limited number of rows through indexes, then sort them as their list does.

If there are too many to sort, walk the list's own order instead: the page is soon full. Each row is looked up among
those that were found, or tested itself if they are too many to remember. Conditions on several tables are a union of
look-ups, because an OR across tables uses no index.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Exact, In

# Measured with a million rows: above each limit, the next way is cheaper. PostgreSQL is faster at testing rows than at
# taking thousands of keys.
MAX_SORTED = {"sqlite": 2_500, "postgresql": 4_000}[connection.vendor]
MAX_REMEMBERED = {"sqlite": 6_000, "postgresql": 4_000}[connection.vendor]
SHORTEST_ID = 3  # digits

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Select:
    """A statement that selects primary keys through an index."""

    sql: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, rows: "QuerySet[Any, Any]") -> "Select":
        """`rows` have one column and aren't known to be empty."""
        sql, params = rows.order_by().query.sql_with_params()
        return cls(sql, tuple(params))

    def keys(self, most: int) -> list[Any] | None:
        """Return the keys, or None if there are more."""
        keys = column_of(f"{self.sql} LIMIT {most + 1}", self.params)
        return keys if len(keys) <= most else None

    def some(self, most: int) -> list[Any]:
        """Return some of the keys, if there are more."""
        return column_of(f"{self.sql} LIMIT {most}", self.params)

    def is_more(self, most: int) -> bool:
        return bool(column_of(f"SELECT COUNT(*) FROM ({self.sql} LIMIT {most + 1}) found", self.params)[0] > most)  # noqa: S608


def column_of(sql: str, params: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [value for (value,) in cursor.fetchall()]


def is_many(select: Select) -> bool:
    return select.is_more(MAX_SORTED)


def found_by(selects: Sequence[Select]) -> list[bool]:
    """Whether each of the selects finds anything."""
    if not selects:
        return []
    with connection.cursor() as cursor:
        exists = ", ".join(f"EXISTS({select.sql})" for select in selects)
        cursor.execute(f"SELECT {exists}", [param for select in selects for param in select.params])
        return list(map(bool, cursor.fetchone()))


def among(rows: "QuerySet[Row]", selects: Sequence[Select], *, otherwise: Q) -> "QuerySet[Row]":
    """Return the rows that the selects find. `otherwise` is the condition for testing rows one by one."""
    found = listed(rows, selects)
    return rows.filter(otherwise) if found is None else found[0]


def listed(rows: "QuerySet[Row]", selects: Sequence[Select]) -> "tuple[QuerySet[Row], bool] | None":
    """Return the rows that the selects find, and whether they're few enough to sort. None if there are too many."""
    keys: list[Any] = []
    for select in selects:
        if (more := select.keys(MAX_REMEMBERED - len(keys))) is None:
            return None
        keys += more
    if not keys:
        return rows.none(), True
    if len(keys) > MAX_SORTED:
        return rows.filter(In(unindexed("pk"), _one_value(rows.model, keys))), False
    return rows.filter(pk__in=_one_value(rows.model, keys)), True


def _one_value(model: type[Model], keys: Sequence[Any]) -> RawSQL:
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(keys)])
    # Planned without knowing how many: they're looked up, never waited for in an order that may have them last.
    return RawSQL(f"SELECT unnest((SELECT %s::{model._meta.pk.rel_db_type(connection)}[]))", [keys])  # noqa: S611


@dataclass(frozen=True)
class Condition:
    """The same condition twice: as an index answers it, and for testing rows while another index is walked."""

    indexed: Q
    tested: Q


def look_up(rows: "QuerySet[Row]", conditions: Sequence[Condition]) -> "QuerySet[Row]":
    """Return the rows that meet one of the conditions."""
    return looked_up(rows, conditions)[0]


def looked_up(rows: "QuerySet[Row]", conditions: Sequence[Condition]) -> "tuple[QuerySet[Row], bool]":
    """Return the rows that meet one of the conditions, and whether they're few enough to sort."""
    every = rows.model._default_manager.order_by()
    selects = [Select.of(every.filter(each.indexed).values("pk")) for each in conditions]
    found = found_by(selects)
    if (remembered := listed(rows, list(compress(selects, found)))) is not None:
        return remembered
    return rows.filter(Q.create([each.tested for each in compress(conditions, found)], Q.OR)), False


def unindexed(column: str) -> Coalesce:
    """A column as an expression that no index is chosen for, to test rows in the order of another index."""
    return Coalesce(column, column)


def equals(column: str, text: str) -> Condition:
    return is_one_of(column, [text])


def is_one_of(column: str, texts: Collection[str]) -> Condition:
    condition = Q((f"{column}__in", texts))
    return Condition(condition & _unless_empty(column), condition)


def begins(column: str, text: str, *, tested: Combinable | None = None) -> Condition:
    """`tested`: the column as an expression, if it's of a joined table: a join might be made in another order."""
    if connection.vendor == "postgresql":
        indexed = Q((f"{column}__startswith", text))
    else:  # LIKE ignores case here and can't use the index
        indexed = Q((f"{column}__gte", text), (f"{column}__lt", text + chr(0x10FFFF)))
    return Condition(indexed & _unless_empty(column), Q(Exact(StrIndex(tested or F(column), Value(text)), 1)))


def is_id(column: str, pasted: UUID) -> Condition:
    condition = Q((column, pasted))
    return Condition(condition, condition)


def begins_id(column: str, text: str) -> Condition | None:
    """The condition on a column of UUIDs, or None if none begins like this, or too many."""
    digits, text = text.lower().replace("-", ""), text.lower()
    if not SHORTEST_ID <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    first, last = (UUID(digits.ljust(32, filler)) for filler in "0f")
    between = Q((f"{column}__range", (first, last)))
    return Condition(between, between) if str(first).startswith(text) or digits == text else None


def _unless_empty(column: str) -> Q:
    # Some columns are indexed where they have a text. That's no condition on a column of a joined table.
    return Q() if LOOKUP_SEP in column else ~Q((column, ""))
