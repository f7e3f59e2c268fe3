"""Keyset pagination for every list: a page starts next to a known row, so the last costs as much as the first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from operator import or_
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Exists,
    F,
    Field,
    Func,
    Model,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.fields import TextField
from django.http import QueryDict

from linkadmin.compiled_query import Loaded, Statement, compiled

PAGE_SIZE = 50
BEFORE, AFTER = "before", "after"
PLACES = (BEFORE, AFTER, "at", "day", "end")  # query parameters that select the page; the last three only in timelines
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ANY_NUMBER = 32_749  # placeholder for a number in a compiled statement; higher than any rank

_JOINED = re.compile(r'FROM ("\w+") INNER JOIN ("\w+") ON')

Row = TypeVar("Row", bound=Model)
Key = tuple[Any, ...]
# Compiled statements of querysets that a module keeps. Those of temporary ones are garbage-collected with them.
_statements: "WeakKeyDictionary[QuerySet[Any], dict[Key, Statement[Any]]]" = WeakKeyDictionary()
MOST_STATEMENTS = 500  # per queryset, about 5 KB each


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of rows, and the query string of each neighbor; empty if there is none."""

    rows: Loaded[Row]
    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""


class OldestIfNever(Func):
    """A column's time, or 1970 if it's null. An index on this expression serves lists in its order."""

    template = "COALESCE(%(expressions)s, '1970-01-01 00:00:00+00')"
    output_field = DateTimeField()

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(F(name))

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="COALESCE(%(expressions)s, '1970-01-01 00:00:00')")


class Beyond(Func):
    """Whether columns, compared as one row value, are beyond others: (a, b) > (x, y). An OR would use no index.

    A value may be an `OuterRef`.
    """

    output_field = BooleanField()

    def __init__(self, columns: "Sequence[Column]", values: Sequence[Any], *, side: str) -> None:
        self.side, self.width = side, len(columns)
        typed = [
            value if isinstance(value, OuterRef) else Value(value, output_field=column.field)
            for column, value in zip(columns, values, strict=True)
        ]
        super().__init__(*(column.expression for column in columns), *typed)

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> Any:
        compiled = [compiler.compile(each) for each in self.source_expressions]
        texts = [sql for sql, _params in compiled]
        ours, theirs = ", ".join(texts[: self.width]), ", ".join(texts[self.width :])
        return f"({ours}) {self.side} ({theirs})", [param for _sql, params in compiled for param in params]


@dataclass(frozen=True, slots=True)
class Column:
    """What a list is sorted by: a column, perhaps of a related row, or `OldestIfNever` of one."""

    name: str
    expression: F | OldestIfNever
    field: "Field[Any, Any]"

    @property
    def is_text(self) -> bool:
        return isinstance(self.field, CharField | TextField)

    @property
    def relation(self) -> str:
        return self.name.rpartition("__")[0]

    @property
    def is_joined(self) -> bool:
        return bool(self.relation)

    def write(self, row: Model) -> str:
        value = self.field.value_from_object(row)
        if isinstance(self.field, DateTimeField):
            return str(write_moment(value or EPOCH))
        return str(value)

    def read(self, text: str) -> Any:
        return read_moment(text) if isinstance(self.field, DateTimeField) else self.field.clean(text, None)


def first_of_each(rows: "QuerySet[Row]", names: Sequence[str], order: Sequence[str]) -> "QuerySet[Row]":
    """Of rows with the same values in columns, the first in an order that has no ties."""
    columns = [_column(rows.model, each) for each in order]
    before = Beyond(columns, [OuterRef(each) for each in order], side="<")
    same = rows.model._default_manager.order_by().filter(*(Q((name, OuterRef(name))) for name in names), before)
    return rows.filter(~Exists(same))


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that meet a condition: one stretch of an index, or one for each of several numbers in a column."""

    where: Q
    column: str = ""
    numbers: tuple[int, ...] = ()

    @property
    def condition(self) -> Q:
        if not self.numbers:
            return self.where
        if len(self.numbers) == 1:
            return self.where & Q((self.column, self.numbers[0]))
        return self.where & Q((f"{self.column}__in", self.numbers))

    def beyond(self, columns: Sequence[Column], key: Key, *, side: str) -> "Iterator[Part]":
        """The part of these rows beyond a key, as conditions that let an index be read from there."""
        if self.column != columns[0].name:
            yield replace(self, where=_beyond(columns, key, side=side) & self.where)
            return
        further = tuple(number for number in self.numbers if (number < key[0] if side == "<" else number > key[0]))
        if further:
            yield replace(self, numbers=further)
        if key[0] in self.numbers:
            yield replace(self, where=_beyond(columns[1:], key[1:], side=side) & self.where, numbers=(key[0],))


class Keyset:
    """The order of a list, by columns that are never null and unique together.

    Cursors hold a row's values, so rows that move don't shift pages. Text never gets into a URL: if a column holds
    text, the cursor is the primary key alone. An invalid cursor shows the first page, an empty `before` the last.
    """

    def __init__(self, *columns: str | OldestIfNever, newest_first: bool = False, size: int = PAGE_SIZE) -> None:
        self.columns = columns
        self.size = size
        self.newest_first = newest_first

    def page(
        self, rows: "QuerySet[Row]", query: QueryDict, parts: Sequence[Part] = (), *, are_few: bool = False
    ) -> Page[Row]:
        """`parts` have no row in common. If `are_few`, all their rows are found and sorted: no index has this order."""
        key = self._read(rows.model, query.get(BEFORE) or query.get(AFTER) or "")
        from_end = query.get(BEFORE) == ""
        backwards = from_end or (key is not None and BEFORE in query)
        found = self._found(rows, key, parts, descending=self.newest_first != backwards, are_few=are_few)
        shown = found[: self.size][::-1] if backwards else found[: self.size]
        more = len(found) > self.size
        more_before = more if backwards else key is not None
        more_after = not from_end if backwards else more
        return Page(
            shown,
            first=turned(query) if more_before else "",
            previous=turned(query, BEFORE, self._write(shown[0])) if more_before and shown else "",
            next=turned(query, AFTER, self._write(shown[-1])) if more_after and shown else "",
            last=turned(query, BEFORE, "") if more_after and shown else "",
        )

    def _found(
        self, rows: "QuerySet[Row]", key: Key | None, parts: Sequence[Part], *, descending: bool, are_few: bool
    ) -> Loaded[Row]:
        statements = _statements.setdefault(rows, {})
        asked = (self.columns, self.size, key, tuple(parts), descending, are_few)
        statement = statements.get(asked)
        if statement is None:
            if len(statements) >= MOST_STATEMENTS:
                statements.clear()
            page = self._sorted(rows, key, parts or [Part(Q())], descending=descending, are_few=are_few)
            statement = statements[asked] = compiled(page)
        return statement.load()

    def _sorted(
        self, rows: "QuerySet[Row]", key: Key | None, parts: Sequence[Part], *, descending: bool, are_few: bool
    ) -> "QuerySet[Row]":
        columns = self._columns(rows.model)
        if key is not None:
            side = "<" if descending else ">"
            parts = [beyond for part in parts for beyond in part.beyond(columns, key, side=side)]
        if are_few or len(parts) != 1 or len(parts[0].numbers) > 1 or columns[0].is_joined:
            merged = self._merged(rows, parts, descending=descending, are_few=are_few)
            rows = rows.filter(pk__in=merged) if merged else rows.none()
        else:
            rows = rows.filter(parts[0].condition)
        order = [OrderBy(column.expression, descending=descending) for column in columns]
        return rows.order_by(*order)[: self.size + 1]

    def _merged(
        self, rows: "QuerySet[Any]", parts: Sequence[Part], *, descending: bool, are_few: bool
    ) -> RawSQL | None:
        """Primary keys of the first rows of all parts, or None if no part can have any. Merges the parts' indexes."""
        selects = [select for part in parts for select in self._selects(rows, part, are_few=are_few)]
        if not selects:
            return None
        direction = "DESC" if descending else "ASC"
        order = ", ".join(f"{place} {direction}" for place in range(1, len(self.columns) + 1))
        first = f"ORDER BY {order} LIMIT {self.size + 1}"
        texts = [text for text, _params in selects]
        if connection.vendor == "postgresql" and not are_few:
            # Otherwise it would sort whole parts. SQLite merges them and stops.
            texts = [f"SELECT * FROM ({text} {first}) AS part" for text in texts]  # noqa: S608
        union = " UNION ALL ".join(texts)
        if are_few:
            union = f"WITH found AS MATERIALIZED ({union}) SELECT * FROM found"  # noqa: S608
        # Texts of the ORM, with its placeholders.
        params = [param for _text, some in selects for param in some]
        return RawSQL(f"SELECT pk FROM ({union} {first}) AS page", params)  # noqa: S608, S611

    def _selects(self, rows: "QuerySet[Any]", part: Part, *, are_few: bool) -> "Iterator[tuple[str, list[Any]]]":
        """A statement per number. They differ in nothing else, and compiling one takes longer than running it."""
        try:
            any_number = replace(part, numbers=part.numbers and (ANY_NUMBER,)).condition
            text, params = rows.filter(any_number).order_by().values_list(*self.columns, "pk").query.sql_with_params()
        except EmptyResultSet:
            return
        if self._columns(rows.model)[0].is_joined and connection.vendor == "sqlite":
            # Join from few found rows to what they're sorted by, or from that if there are many. SQLite may reverse it.
            text = _JOINED.sub(r"FROM \1 CROSS JOIN \2 ON" if are_few else r"FROM \2 CROSS JOIN \1 ON", text, count=1)
        for number in part.numbers or (None,):
            yield text, [number if param == ANY_NUMBER else param for param in params]

    def _write(self, row: Model) -> str:
        return ".".join(column.write(row) for column in self._cursor_columns(type(row)))

    def _read(self, model: type[Model], text: str) -> Key | None:
        columns, parts = self._cursor_columns(model), text.split(".")
        if len(columns) != len(parts):
            return None
        try:
            values = tuple(column.read(part) for column, part in zip(columns, parts, strict=True))
        except (ValueError, OverflowError, ValidationError):
            return None
        if columns == self._columns(model):
            return values
        return model._default_manager.filter(pk=values[0]).values_list(*self.columns).first()

    def _cursor_columns(self, model: type[Model]) -> list[Column]:
        columns = self._columns(model)
        return [_column(model, "pk")] if any(column.is_text for column in columns) else columns

    def _columns(self, model: type[Model]) -> list[Column]:
        return [_column(model, column) for column in self.columns]


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A list as it's filtered and sorted. Its pages and its export read it alike. For its fields, see `Keyset.page`."""

    rows: "QuerySet[Row]"
    keyset: Keyset
    parts: Sequence[Part] = ()
    are_few: bool = False

    def page(self, query: QueryDict) -> Page[Row]:
        return self.keyset.page(self.rows, query, self.parts, are_few=self.are_few)

    @property
    def matching(self) -> "QuerySet[Row]":
        """All its rows, in no order."""
        return self.rows.filter(reduce(or_, (part.condition for part in self.parts), Q())).order_by()

    @property
    def columns(self) -> Sequence[Column]:
        """Those of its keys."""
        return self.keyset._columns(self.rows.model)

    def following(self, key: Key | None, *, most: int) -> "QuerySet[Row]":
        """The next rows after a key, in order; without a key, the first."""
        keyset = Keyset(*self.keyset.columns, newest_first=self.keyset.newest_first, size=most - 1)
        parts = self.parts or [Part(Q())]
        return keyset._sorted(self.rows, key, parts, descending=keyset.newest_first, are_few=self.are_few)


@cache
def _column(model: type[Model], column: str | OldestIfNever) -> Column:
    expression = F(column) if isinstance(column, str) else column
    name = column if isinstance(column, str) else column.name
    field: Any = None
    for step in name.split("__"):
        here: Any = field.related_model if field else model
        field = here._meta.pk if step == "pk" else here._meta.get_field(step)
    return Column(name, expression, field)


def _beyond(columns: Sequence[Column], key: Key, *, side: str) -> Q:
    start = [column for column in columns if column.relation == columns[0].relation]
    if isinstance(columns[0].expression, OldestIfNever):
        start = start[:1]
    beyond = Q(Beyond(columns, key, side=side))
    # Columns of two tables have no common index, and SQLite finds no expression in a row value: start at the first.
    return beyond if len(start) == len(columns) else Q(Beyond(start, key[: len(start)], side=f"{side}=")) & beyond


def without_place(query: QueryDict) -> QueryDict:
    rest = query.copy()
    for name in PLACES:
        rest.pop(name, None)
    return rest


def turned(query: QueryDict, name: str = "", value: str = "") -> str:
    """Query string of another page of the same list; without a name, of the first."""
    there = without_place(query)
    if name:
        there[name] = value
    return f"?{there.urlencode()}"


def write_moment(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def read_moment(text: str) -> datetime:
    """Inverse of `write_moment`. Raises ValueError and OverflowError."""
    return EPOCH + int(text) * MICROSECOND
