"""Keyset pages for every list: a page starts beside a row, so the last page costs as much as the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connection
from django.db.models import BooleanField, CharField, DateTimeField, F, Field, Func, Model, OrderBy, Q, QuerySet, Value
from django.db.models.fields import TextField
from django.http import QueryDict

from linkadmin.compiled_query import Loaded, load

PAGE_SIZE = 50
BEFORE, AFTER = "before", "after"
PLACES = (BEFORE, AFTER, "at", "end")  # query parameters that select the page; timelines use the last two as well
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Row = TypeVar("Row", bound=Model)
Key = tuple[Any, ...]


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
    """Whether columns, compared as one row value, are beyond others: (a, b) > (x, y). An OR would use no index."""

    output_field = BooleanField()

    def __init__(self, columns: "Sequence[Column]", values: Sequence[Any], *, side: str) -> None:
        self.side, self.width = side, len(columns)
        typed = [Value(value, output_field=column.field) for column, value in zip(columns, values, strict=True)]
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

    def write(self, row: Model) -> str:
        value = self.field.value_from_object(row)
        if isinstance(self.field, DateTimeField):
            return str(write_moment(value or EPOCH))
        return str(value)

    def read(self, text: str) -> Any:
        return read_moment(text) if isinstance(self.field, DateTimeField) else self.field.clean(text, None)


class Keyset:
    """The order of a list, by columns that are never null and unique together.

    Cursors hold a row's values, so moving rows shift nobody's page. Text never gets into a URL: if a column holds text,
    the cursor is the primary key alone. Invalid cursors lead to the first page, an empty one before it to the last.
    """

    def __init__(self, *columns: str | OldestIfNever, newest_first: bool = False, size: int = PAGE_SIZE) -> None:
        self.columns = columns
        self.size = size
        self.newest_first = newest_first

    def page(self, rows: "QuerySet[Row]", query: QueryDict, parts: Sequence[Q] = ()) -> Page[Row]:
        """`parts`: disjoint conditions, of which rows meet one. Each is read from its own stretch of an index."""
        key = self._read(rows.model, query.get(BEFORE) or query.get(AFTER) or "")
        from_end = query.get(BEFORE) == ""
        backwards = from_end or (key is not None and BEFORE in query)
        found = self._found(rows, key, parts, descending=self.newest_first != backwards)
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

    def _found(self, rows: "QuerySet[Row]", key: Key | None, parts: Sequence[Q], *, descending: bool) -> Loaded[Row]:
        columns = self._columns(rows.model)
        if key is not None:
            rows = rows.filter(_beyond(columns, key, side="<" if descending else ">"))
        rows = rows.order_by(*(OrderBy(column.expression, descending=descending) for column in columns))
        if not parts:
            return load(rows[: self.size + 1])
        return load(rows.filter(pk__in=self._merged([rows.filter(part) for part in parts], descending=descending)))

    def _merged(self, parts: "list[QuerySet[Row]]", *, descending: bool) -> list[Any]:
        """Primary keys of the first rows of all parts, by one statement that reads a page of each at most."""
        texts: list[str] = []
        params: list[Any] = []
        for part in parts:
            try:
                text, some = part.values_list(*self.columns, "pk")[: self.size + 1].query.sql_with_params()
            except EmptyResultSet:
                continue
            texts.append(f"SELECT * FROM ({text}) AS part")  # noqa: S608
            params += some
        if not texts:
            return []
        direction = "DESC" if descending else "ASC"
        order = ", ".join(f"{place} {direction}" for place in range(1, len(self.columns) + 1))
        with connection.cursor() as cursor:
            # Texts of the ORM, with its placeholders.
            cursor.execute(f"{' UNION ALL '.join(texts)} ORDER BY {order} LIMIT {self.size + 1}", params)
            return [row[-1] for row in cursor.fetchall()]

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


def _column(model: type[Model], column: str | OldestIfNever) -> Column:
    expression = F(column) if isinstance(column, str) else column
    name = column if isinstance(column, str) else column.name
    field: Any = None
    for step in name.split("__"):
        here: Any = field.related_model if field else model
        field = here._meta.pk if step == "pk" else here._meta.get_field(step)
    return Column(name, expression, field)


def _beyond(columns: Sequence[Column], key: Key, *, side: str) -> Q:
    outer = [column for column in columns if column.relation == columns[0].relation]
    beyond = Q(Beyond(columns, key, side=side))
    # Columns of two tables have no common index: start at the row of the first.
    return beyond if len(outer) == len(columns) else Q(Beyond(outer, key[: len(outer)], side=f"{side}=")) & beyond


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
