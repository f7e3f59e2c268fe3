"""Queries that pages repeat all the time, compiled once: compiling costs more than running them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.query import ModelIterable, get_related_populators
from django.utils.functional import cached_property

Row: TypeAlias = tuple[Any, ...]
Sql: TypeAlias = tuple[str, Row]
Key: TypeAlias = UUID | datetime | date | str | None
Kind: TypeAlias = type[UUID] | type[datetime] | type[date] | type[str]
_FIELDS: dict[type, "models.Field[Any, Any]"] = {
    UUID: models.UUIDField(),
    datetime: models.DateTimeField(),
    date: models.DateField(),
    str: models.TextField(),
}
MOST_LOADERS = 500
_loaders: dict[str, Callable[[Row], Any]] = {}  # by statement


class CompiledQuery:
    """A query by keys of the given types. `build` gets placeholders, and returns a queryset or its SQL."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any] | Sql"], types: Sequence[Kind] = (UUID,)) -> None:
        self._build = build
        self._types = types

    def rows(self, *keys: Key) -> list[Row]:
        """Return values as the database has them."""
        sql, params = self._sql
        keys = tuple(_prepared(kind, key) for kind, key in zip(self._types, keys, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [keys[param] if isinstance(param, _Place) else param for param in params])
            return list(cursor.fetchall())

    def row(self, *keys: Key) -> Row | None:
        return next(iter(self.rows(*keys)), None)

    def instances(self, *keys: Key) -> list[Any]:
        """Return model instances, with related ones as the queryset selects them."""
        return [self._loader(row) for row in self.rows(*keys)]

    @cached_property
    def _sql(self) -> Sql:
        sql, params = as_sql(self._built)
        return sql, tuple(self._places.get(param, param) if _is_key(param) else param for param in params)

    @cached_property
    def _built(self) -> "QuerySet[Any, Any] | Sql":
        return self._build(*self._placeholders)

    @cached_property
    def _loader(self) -> Callable[[Row], Any]:
        assert isinstance(self._built, QuerySet)  # noqa: S101 - SQL alone has no model
        return _loader_of(self._built)

    @property
    def _placeholders(self) -> list[Key]:
        return [_placeholder(kind, place) for place, kind in enumerate(self._types)]

    @property
    def _places(self) -> dict[object, "_Place"]:
        found = enumerate(zip(self._types, self._placeholders, strict=True))
        return {each: _Place(place) for place, (kind, key) in found for each in (key, _prepared(kind, key))}


class _Place(int):
    """Where a key goes among the parameters of a statement."""


def as_sql(built: "QuerySet[Any, Any] | Sql") -> Sql:
    if isinstance(built, QuerySet):
        # A copy: compiling changes a query, and several threads may compile it at the same time.
        sql, params = built.query.clone().sql_with_params()
        return sql, tuple(params)
    return built


def load(queryset: "QuerySet[Any]") -> list[Any]:
    """Return the queryset's instances in a list. What loads them is prepared once for each statement."""
    if not _has_plain_rows(queryset):
        return list(queryset)
    try:
        sql, params = as_sql(queryset)
    except EmptyResultSet:
        return []
    loader = _loaders.get(sql)
    if loader is None:
        if len(_loaders) >= MOST_LOADERS:
            _loaders.clear()
        loader = _loaders[sql] = _loader_of(queryset)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        loaded = [loader(row) for row in cursor.fetchall()]
    _relate(loaded, queryset)
    return loaded


def _relate(loaded: Sequence[Any], queryset: Any) -> None:
    """Set the instance whose related rows these are."""
    for field, related in queryset._known_related_objects.items():
        for each in loaded:
            pk = getattr(each, field.attname)
            if pk in related and not field.is_cached(each):
                field.set_cached_value(each, related[pk])


def _has_plain_rows(queryset: Any) -> bool:
    return queryset._iterable_class is ModelIterable and not queryset._prefetch_related_lookups


def time_of(value: datetime | str | None) -> datetime | None:
    # SQLite returns naive UTC, or text.
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _placeholder(kind: Kind, place: int) -> Key:
    if kind is UUID:
        return UUID(int=place)
    if kind is str:
        return f"\0{place}"  # no database stores a NUL
    day = date(1, 1, 1) + timedelta(days=place)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if kind is datetime else day


def _prepared(kind: type, key: Key) -> Any:
    return _FIELDS[kind].get_db_prep_value(key, connection)


def _is_key(param: object) -> bool:
    return isinstance(param, str | UUID | date)


def _loader_of(queryset: "QuerySet[Any, Any]") -> Callable[[Row], Any]:
    """What Django does with each row of a queryset, prepared once."""
    compiler = queryset.query.clone().get_compiler(queryset.db)
    compiler.as_sql()
    select, klass, annotations = compiler.select or [], compiler.klass_info or {}, compiler.annotation_col_map or {}
    converters = compiler.get_converters([expression for expression, _sql, _alias in select])
    populators = get_related_populators(klass, select, queryset.db)  # type: ignore[call-arg]  # as in the next Django
    columns = klass["select_fields"]
    names = [select[column][0].target.attname for column in columns]
    first, last = columns[0], columns[-1] + 1

    def load(row: Row) -> Any:
        values = list(row)
        for position, (functions, expression) in converters.items():
            for convert in functions:
                values[position] = convert(values[position], expression, connection)
        loaded = _instance(klass["model"], queryset.db, names, values[first:last])
        for populator in populators:
            _populate(populator, values, loaded)
        for name, column in annotations.items():
            setattr(loaded, name, values[column])
        return loaded

    return load


def _instance(model: type[models.Model], db: str, names: Sequence[str], values: Sequence[Any]) -> Any:
    """As `from_db`, which goes through all fields of a model for the few that were read."""
    loaded = model.__new__(model)
    state = loaded._state = ModelState()
    state.db, state.adding = db, False
    loaded.__dict__.update(zip(names, values, strict=True))
    return loaded


def _populate(populator: Any, values: Sequence[Any], parent: models.Model) -> None:
    """As `RelatedPopulator.populate`, with `_instance`."""
    own, related = values[populator.cols_start : populator.cols_end], None
    if own[populator.pk_idx] is not None:
        related = _instance(populator.model_cls, populator.db, populator.init_list, own)
        for each in populator.related_populators:
            _populate(each, values, related)
        populator.remote_setter(related, parent)
    populator.local_setter(parent, related)
