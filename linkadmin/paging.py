"""Keyset pages for every list: a page starts beside a row, so the last page costs as much as the first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import CharField, DateTimeField, Field, Model, Q, QuerySet, TextField
from django.http import QueryDict

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

    rows: list[Row]
    first: str = ""
    previous: str = ""
    next: str = ""


class Keyset:
    """The order of a list, by columns that are never null and unique together.

    Cursors hold a row's values, so moving rows shift nobody's page. Text never gets into a URL: if a column holds text,
    the cursor is the primary key alone. Invalid cursors lead to the first page.
    """

    def __init__(self, *columns: str, newest_first: bool = False, size: int = PAGE_SIZE) -> None:
        self.columns = columns
        self.size = size
        self.newest_first = newest_first

    def page(self, rows: "QuerySet[Row]", query: QueryDict) -> Page[Row]:
        key = self._read(rows, query.get(BEFORE) or query.get(AFTER) or "")
        backwards = key is not None and BEFORE in query
        beyond = rows.filter(self._beyond(key, flipped=backwards)) if key is not None else rows
        sign = "-" if self.newest_first != backwards else ""
        found = list(beyond.order_by(*(f"{sign}{column}" for column in self.columns))[: self.size + 1])
        shown = found[: self.size][::-1] if backwards else found[: self.size]
        more = len(found) > self.size
        more_before = more if backwards else key is not None
        return Page(
            shown,
            first=turned(query) if more_before else "",
            previous=turned(query, BEFORE, self._write(shown[0])) if more_before and shown else "",
            next=turned(query, AFTER, self._write(shown[-1])) if (more or backwards) and shown else "",
        )

    def _beyond(self, key: Key, *, flipped: bool) -> Q:
        # In this form the query uses the list's index.
        side = "lt" if self.newest_first != flipped else "gt"
        *outer, (column, value) = zip(self.columns, key, strict=True)
        beyond = Q(**{f"{column}__{side}": value})
        for column, value in reversed(outer):
            beyond = Q(**{f"{column}__{side}e": value}) & (Q(**{f"{column}__{side}": value}) | beyond)
        return beyond

    def _write(self, row: Model) -> str:
        values = [field.value_from_object(row) for field in self._cursor_fields(type(row))]
        return ".".join(str(write_moment(value) if isinstance(value, datetime) else value) for value in values)

    def _read(self, rows: "QuerySet[Row]", text: str) -> Key | None:
        fields, parts = self._cursor_fields(rows.model), text.split(".")
        if len(fields) != len(parts):
            return None
        try:
            values = tuple(map(_read_value, fields, parts))
        except (ValueError, OverflowError, ValidationError):
            return None
        if fields == self._fields(rows.model):
            return values
        return rows.model._default_manager.filter(pk=values[0]).values_list(*self.columns).first()

    def _cursor_fields(self, model: type[Model]) -> "list[Field[Any, Any]]":
        fields = self._fields(model)
        return [model._meta.pk] if any(isinstance(field, CharField | TextField) for field in fields) else fields

    def _fields(self, model: type[Model]) -> "list[Field[Any, Any]]":
        columns = [model._meta.pk if column == "pk" else model._meta.get_field(column) for column in self.columns]
        return cast("list[Field[Any, Any]]", columns)


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


def _read_value(field: "Field[Any, Any]", text: str) -> Any:
    return read_moment(text) if isinstance(field, DateTimeField) else field.clean(text, None)
