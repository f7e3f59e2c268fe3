"""CSV of a list as it's filtered and sorted: streamed, at most two at once in a process, safe in spreadsheets, audited.
A file has at most as many rows as a setting says. If there are more, its last line says so.

The database writes the lines. No transaction is held while a reader downloads, and memory stays flat: SQLite reads
thousands of lines at a time, each time from the last key on. PostgreSQL, which would look up each line's customer then,
reads all but the first lines at once into a cursor that outlives its transaction. A row that moves in the list's order
meanwhile may be missing or occur twice.

All cells are quoted. Times are in UTC. The file is UTF-8 and starts with a byte order mark: without one, Excel expects
another encoding and garbles accents. A cell that a spreadsheet would take for a formula starts with an apostrophe.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, F, Func, Model, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf
from django.forms import BaseForm
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.compiled_query import as_sql
from linkadmin.database import return_connections
from linkadmin.paging import Key, Listing
from linkadmin.staff_limits import counting
from linkadmin.staff_limits.kinds import LimitKind
from linkadmin.staff_limits.shown import collected
from linkadmin.web.pages import RETRY_SECONDS, reader
from linkadmin.web.storage import UNUSABLE

ELSEWHERE = ("cross-site", "same-site")  # a page of another origin could use up a person's exports
AT_ONCE = 2  # per process: each occupies a thread of the web server
FIRST_LINES, MOST_LINES = 500, 10_000  # of a chunk; a reader waits for the first one
NO_LIMIT = 2**31 - 1  # lines
TAKEN_SECONDS = 60  # how long a reader may take to accept a chunk
LONGEST_DETAIL = 200  # of an audit event
BOM, LINE_END = "\ufeff", "\r\n"
FORMULA = "=+-@\t\r\n＝＋－＠"  # characters that start a formula, also after spaces
SPACES = " \u00a0\u3000"
_FORMULA = re.compile(rf"[{SPACES}]*[\0{re.escape(FORMULA)}]")
_FORMULA_SQL = ", ".join(f"'{each}'" for each in FORMULA)
_GUARD = (
    "COALESCE(replace(CASE WHEN {ordered} >= 'A' AND {ordered} < '\u00a0' THEN {0} "
    "WHEN {ordered} >= '0' AND {ordered} < '=' THEN {0} "
    f"WHEN substr(ltrim({{0}}, '{SPACES}'), 1, 1) IN ({_FORMULA_SQL}) THEN '''' || {{0}} "
    """ELSE {0} END, '"', '""'), '')"""
)

Row = TypeVar("Row", bound=Model)
Chunks: TypeAlias = Generator[tuple[str, int]]  # lines, and their number
Field: TypeAlias = str | Combinable  # of the list's model

_CUT = _("These are the first %(rows)s rows. For the others, narrow the list with filters.")
_slots = BoundedSemaphore(AT_ONCE)
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of the file: its label, and the cells' text as the database writes it, safe and with doubled quotes."""

    label: str
    text: Combinable


@dataclass(frozen=True, slots=True)
class Export:
    """What a file contains, and what the audit log says about it. `filters` hold nothing personal."""

    name: str
    labels: Sequence[str]
    chunks: Chunks
    environment: str = ""  # of a list of one
    filters: Sequence[tuple[str, str]] = ()
    is_search: bool = False
    about: tuple[ObjectType, object] | None = None  # if it isn't a list of everything


def text(label: str | Promise, field: Field) -> Cells:
    return Cells(str(label), _Guarded(field))


def number(label: str | Promise, field: Field) -> Cells:
    return Cells(str(label), Coalesce(Cast(field, TextField()), Value("")))


def moment(label: str | Promise, field: Field) -> Cells:
    return Cells(str(label), _Moment(field))


def identifier(label: str | Promise, field: Field) -> Cells:
    return Cells(str(label), _Identifier(field))


def choice(
    label: str | Promise, field: str, labels: Mapping[str, str | Promise], *, unless: Sequence[When] = ()
) -> Cells:
    """The most common values first: they're compared in this order. Values without a label are shown as they are."""
    cases = [When(Q((field, value)), then=constant(shown)) for value, shown in labels.items()]
    return Cells(str(label), Case(*unless, *cases, default=_Guarded(field), output_field=TextField()))


def person(label: str | Promise, path: str) -> Cells:
    """A member of staff."""
    return text(label, Coalesce(NullIf(f"{path}__name", Value("")), f"{path}__username"))


def customer(label: str | Promise, path: str, *, see_names: bool) -> Cells:
    """A customer as lists show them. `path` ends in two underscores, or is empty for a list of customers."""
    name = F(f"{path}name") if see_names else _Masked(f"{path}name")
    return text(label, Coalesce(NullIf(name, Value("")), F(f"{path}external_id"), output_field=TextField()))


def constant(shown: str | Promise) -> Value:
    return Value(_safe(str(shown)), output_field=TextField())


def time_cell(at: datetime | None) -> str:
    """A time as `moment` writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else ""


def filters_of(form: BaseForm) -> list[tuple[str, str]]:
    """The chosen values of a valid form that offers nothing personal."""
    return [(name, str(form.data[name])) for name in form.fields if form.data.get(name)]


def of_list(listing: Listing[Any], columns: Sequence[Cells]) -> tuple[Sequence[str], Chunks]:
    """Labels and chunks of a list."""
    line = _Line(*(column.text for column in columns))
    return [column.label for column in columns], _chunks(listing, line)


def of_few(
    listing: Listing[Row], labels: Iterable[str | Promise], texts: Callable[[Sequence[Row]], Iterable[Sequence[str]]]
) -> tuple[Sequence[str], Chunks]:
    """Labels and chunks of a short list. `texts` gets some hundred rows at a time."""
    return of_texts(labels, (row for rows in _instances(listing) for row in texts(rows)))


def of_texts(labels: Iterable[str | Promise], rows: Iterable[Sequence[str]]) -> tuple[Sequence[str], Chunks]:
    """Labels and chunks of rows that are texts already."""
    return list(map(str, labels)), ((_line(row), 1) for row in rows)


def download(request: HttpRequest, export: Export) -> HttpResponseBase:
    """Raises LimitReached, and what the database does. Later errors end the download early, which browsers notice."""
    if request.headers.get("Sec-Fetch-Site") in ELSEWHERE:
        return render(request, "exports/elsewhere.html", status=HTTPStatus.FORBIDDEN)
    if not _slots.acquire(blocking=False):
        busy = render(request, "exports/busy.html", {"at_once": AT_ONCE}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        busy.headers["Retry-After"] = str(RETRY_SECONDS)
        return busy
    try:
        counting.count(reader(request), LimitKind.EXPORTS, [uuid4()])
        lines = _Download(request, export)
    except BaseException:
        _slots.release()
        raise
    try:
        lines.start()
    except BaseException:
        lines.close()
        raise
    if line := request.META.get("gunicorn.socket"):
        line.settimeout(TAKEN_SECONDS)
    name = f"{export.name}-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class _Download:
    """The file, piece by piece. Holds a slot and owes the audit log an event until it's closed."""

    def __init__(self, request: HttpRequest, export: Export) -> None:
        self._export = export
        self._actor = reader(request)
        self._request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        self._language = get_language()
        self._pieces = self._read()
        self._first = ""
        self._rows = 0
        self._is_cut = self._is_finished = self._is_closed = False
        self._record(Outcome.REQUESTED)

    def start(self) -> None:
        """Read the first chunk."""
        with collected():  # the names in a file don't count as seen: files have a limit of their own
            self._first = next(self._pieces)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._first:
            first, self._first = self._first, ""
            return first
        with override(self._language):
            return next(self._pieces)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._export.chunks.close()  # with its cursor
            with structlog.contextvars.bound_contextvars(request_id=self._request_id):
                cut = {"cut": True} if self._is_cut else {}
                self._record(Outcome.DONE if self._is_finished else Outcome.CANCELED, rows=self._rows, **cut)
        except UNUSABLE as error:
            logger.error("export.end_not_recorded", error=type(error).__name__, rows=self._rows)
        finally:
            _slots.release()

    def _read(self) -> Iterator[str]:
        head, most = BOM + _line(self._export.labels), settings.EXPORT_ROWS
        for lines, count in self._export.chunks:
            if most and self._rows + count > most:
                self._is_cut = True
                yield _line([_CUT % {"rows": f"{most:,}"}, *[""] * (len(self._export.labels) - 1)])
                break
            self._rows += count
            yield head + lines
            head = ""
        if head:
            yield head
        self._is_finished = True

    def _record(self, outcome: Outcome, **counted: int) -> None:
        export = self._export
        object_type, object_id = export.about or (ObjectType.LIST, export.name)
        record(
            actor=self._actor,
            action=Action.LIST_EXPORTED,
            outcome=outcome,
            object_type=object_type,
            object_id=object_id,
            details={
                "list": export.name,
                **({"environment": export.environment} if export.environment else {}),
                "filters": urlencode(export.filters)[:LONGEST_DETAIL],
                "searched": export.is_search,
                **counted,
            },
        )


def _chunks(listing: Listing[Any], line: "_Line") -> Chunks:
    lines, done, key = _read_chunk(listing, line, None, _most(0, FIRST_LINES))
    yield lines, done
    if key is not None and connection.vendor == "postgresql":
        yield from _rest(listing, line, done)
        return
    while key is not None:
        lines, count, key = _read_chunk(listing, line, key, _most(done, MOST_LINES))
        done += count
        yield lines, count


def _most(done: int, size: int) -> int:
    """Lines of the next chunk. It ends where the file does; one more line shows that there's more."""
    return min(size, max(settings.EXPORT_ROWS - done, 1)) if settings.EXPORT_ROWS else size


def _read_chunk(listing: Listing[Any], line: "_Line", key: Key | None, most: int) -> tuple[str, int, Key | None]:
    """Lines, their number, and the key of the last one if there may be more."""
    rows = listing.following(key, most=most)
    try:
        sql, params = as_sql(rows.annotate(line=line).values_list("line"))
    except EmptyResultSet:
        return "", 0, None
    joined = "group_concat" if connection.vendor == "sqlite" else "string_agg"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {joined}(line, ''), COUNT(*) FROM ({sql}) AS page", params)  # noqa: S608
        lines, count = cursor.fetchone()
    keys = rows.values_list(*(column.expression for column in listing.columns))
    return lines or "", count, keys[most - 1 :].first()


def _rest(listing: Listing[Any], line: "_Line", done: int) -> Chunks:
    """All after the first chunk."""
    most = settings.EXPORT_ROWS + 1 if settings.EXPORT_ROWS else NO_LIMIT
    sql, params = as_sql(listing.following(None, most=most).annotate(line=line).values_list("line")[done:])
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(_most(done, MOST_LINES)):
            done += len(rows)
            yield "".join([each for (each,) in rows]), len(rows)
    return_connections()


def _instances(listing: Listing[Row]) -> Iterator[Sequence[Row]]:
    keys = {f"key_{place}": column.expression for place, column in enumerate(listing.columns)}
    key = None
    while True:
        rows = list(listing.following(key, most=FIRST_LINES).annotate(**keys))
        return_connections()
        yield rows
        if len(rows) < FIRST_LINES:
            return
        key = tuple(getattr(rows[-1], name) for name in keys)


def _line(cells: Iterable[str]) -> str:
    return '"' + '","'.join(map(_safe, cells)) + '"' + LINE_END


def _safe(text: str) -> str:
    apostrophe = "'" if _FORMULA.match(text) else ""
    return (apostrophe + text).replace('"', '""')


class _Written(Func):
    """Text that the database writes, by a template with the field's SQL as {0}."""

    output_field = TextField()
    sqlite = postgresql = ""

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> Any:
        sql, params = compiler.compile(self.source_expressions[0])
        template: str = getattr(self, connection.vendor)
        return template.format(sql), tuple(params) * template.count("{0}")


class _Guarded(_Written):
    """The same as `_safe`. Most texts start with a letter or digit, and need only a comparison or two."""

    sqlite = _GUARD.replace("{ordered}", "{0}")
    postgresql = _GUARD.replace("{ordered}", '({0}) COLLATE "C"')


class _Moment(_Written):
    sqlite = "COALESCE(substr({0}, 1, 10) || 'T' || substr({0}, 12, 8) || 'Z', '')"
    postgresql = "COALESCE(replace(left(({0} AT TIME ZONE 'UTC')::text, 19), ' ', 'T') || 'Z', '')"


class _Identifier(_Written):
    sqlite = (
        "COALESCE(substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13, 4) || '-' || "
        "substr({0}, 17, 4) || '-' || substr({0}, 21), '')"
    )
    postgresql = "COALESCE(({0})::text, '')"


class _Masked(_Written):
    """As `providers.names.masked`, a function that SQLite's connections have."""

    sqlite = "masked({0})"
    postgresql = r"regexp_replace(regexp_replace(btrim({0}), '(\S)\S*', '\1•••', 'g'), '\s+', ' ', 'g')"


class _Line(Func):
    """A line of the file."""

    output_field = TextField()

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> Any:
        compiled = [compiler.compile(cell) for cell in self.source_expressions]
        cells, params = [sql for sql, _params in compiled], [param for _sql, params in compiled for param in params]
        if connection.vendor == "sqlite":
            shape = ",".join(['"%%s"'] * len(cells))
            return f"printf('{shape}{LINE_END}', {', '.join(cells)})", params
        joined = f"""concat_ws('","', {", ".join(cells)})"""
        return f"""concat('"', {joined}, '"{LINE_END}')""", params
