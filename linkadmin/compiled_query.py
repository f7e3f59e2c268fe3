"""Queries that pages repeat all the time, compiled once: compiling costs more than running them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar, overload
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from django.utils.functional import cached_property

Instance = TypeVar("Instance", bound=models.Model)
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
_NO_RELATIVES: Mapping[Any, Any] = MappingProxyType({})
MOST_LOADERS = 500
MOST_IDS = 20_000  # cached UUID objects
_loaders: dict[str, "Loader"] = {}  # by statement


class CompiledQuery:
    """A query by keys of the given types. `build` gets placeholders, and returns a queryset or its SQL."""

    def __init__(self, build: Callable[..., "QuerySet[Any, Any] | Sql"], types: Sequence[Kind] = (UUID,)) -> None:
        self._build = build
        self._types = types

    def rows(self, *keys: Key) -> list[Row]:
        """Return values as the database has them."""
        sql, params = self._sql
        database = connections[DEFAULT_DB_ALIAS]  # what `connection` looks up for each attribute
        keys = tuple([_prepared(kind, key, database) for kind, key in zip(self._types, keys, strict=True)])
        with database.cursor() as cursor:
            cursor.execute(sql, [keys[param] if isinstance(param, _Place) else param for param in params])
            return list(cursor.fetchall())

    def row(self, *keys: Key) -> Row | None:
        return next(iter(self.rows(*keys)), None)

    def instances(self, *keys: Key) -> "Loaded[Any]":
        """Return model instances, with related ones as the queryset selects them."""
        return Loaded(self.rows(*keys), self._loader)

    @cached_property
    def _sql(self) -> Sql:
        sql, params = as_sql(self._built)
        return sql, tuple(self._places.get(param, param) if _is_key(param) else param for param in params)

    @cached_property
    def _built(self) -> "QuerySet[Any, Any] | Sql":
        return self._build(*self._placeholders)

    @cached_property
    def _loader(self) -> "Loader":
        assert isinstance(self._built, QuerySet)  # noqa: S101 - SQL alone has no model
        return Loader(self._built)

    @property
    def _placeholders(self) -> list[Key]:
        return [_placeholder(kind, place) for place, kind in enumerate(self._types)]

    @property
    def _places(self) -> dict[object, "_Place"]:
        found = enumerate(zip(self._types, self._placeholders, strict=True))
        return {each: _Place(place) for place, (kind, key) in found for each in (key, _prepared(kind, key, connection))}


class _Place(int):
    """Where a key goes among the parameters of a statement."""


def as_sql(built: "QuerySet[Any, Any] | Sql") -> Sql:
    if isinstance(built, QuerySet):
        # A copy: compiling changes a query, and several threads may compile it at the same time.
        sql, params = built.query.clone().sql_with_params()
        return sql, tuple(params)
    return built


class Loaded(Sequence[Instance]):
    """Instances of a statement's rows. Each is built when it's needed: most rows of a list are already drawn."""

    def __init__(
        self, rows: Sequence[Row], loader: "Loader | None", relatives: Mapping[Any, Any] = _NO_RELATIVES
    ) -> None:
        self.rows = rows  # as the database has them
        self._loader = loader
        self._relatives = relatives
        self._made: list[Any] = [None] * len(rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Instance: ...
    @overload
    def __getitem__(self, place: slice) -> "Loaded[Instance]": ...
    def __getitem__(self, place: int | slice) -> "Instance | Loaded[Instance]":
        if isinstance(place, slice):
            return Loaded(self.rows[place], self._loader, self._relatives)
        made: Instance | None = self._made[place]
        if made is None and self._loader:
            made = self._made[place] = self._loader(self.rows[place])
            self._relate(made)
        return made  # type: ignore[return-value]

    @property
    def columns(self) -> tuple[str, ...]:
        return self._loader.columns if self._loader else ()

    def values(self, name: str) -> list[Any]:
        return self._loader.values(self.rows, name) if self._loader else []

    def _relate(self, made: Any) -> None:
        """Set the instance whose related rows these are."""
        for field, related in self._relatives.items():
            pk = getattr(made, field.attname)
            if pk in related and not field.is_cached(made):
                field.set_cached_value(made, related[pk])


@dataclass(frozen=True, slots=True)
class Statement(Generic[Instance]):
    """A compiled queryset; without a loader, it finds nothing."""

    sql: str
    params: Row
    loader: "Loader | None"
    relatives: Mapping[Any, Any]

    def load(self) -> "Loaded[Instance]":
        if self.loader is None:
            return Loaded([], None)
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.params)
            return Loaded(cursor.fetchall(), self.loader, self.relatives)


def compiled(queryset: "QuerySet[Instance]") -> "Statement[Instance]":
    """What loads the instances is prepared once for each statement."""
    try:
        sql, params = as_sql(queryset)
    except EmptyResultSet:
        return Statement("", (), None, _NO_RELATIVES)
    loader = _loaders.get(sql)
    if loader is None:
        if len(_loaders) >= MOST_LOADERS:
            _loaders.clear()
        loader = _loaders[sql] = Loader(queryset)
    return Statement(sql, params, loader, queryset._known_related_objects)  # type: ignore[attr-defined]


def load(queryset: "QuerySet[Instance]") -> "Loaded[Instance]":
    """Return the queryset's instances."""
    return compiled(queryset).load()


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


def _prepared(kind: type, key: Key, database: Any) -> Any:
    return _FIELDS[kind].get_db_prep_value(key, database)


def _is_key(param: object) -> bool:
    return isinstance(param, str | UUID | date)


class Loader:
    """What Django does with each row of a queryset, prepared once."""

    def __init__(self, queryset: "QuerySet[Any, Any]") -> None:
        compiler = queryset.query.clone().get_compiler(queryset.db)
        compiler.as_sql()
        select, klass = compiler.select or [], compiler.klass_info or {}
        self._model, self._db = klass["model"], queryset.db
        self._annotations = compiler.annotation_col_map or {}
        self._converters = [
            (position, _converting(functions, expression))
            for position, (functions, expression) in compiler.get_converters([each[0] for each in select]).items()
        ]
        self._populators = get_related_populators(klass, select, queryset.db)  # type: ignore[call-arg]  # as in the next Django
        first, last = klass["select_fields"][0], klass["select_fields"][-1] + 1
        self._own = slice(first, last)
        self.columns = tuple([each[0].target.attname for each in select[self._own]])

    def __call__(self, row: Row) -> Any:
        values = list(row)
        for position, convert in self._converters:
            values[position] = convert(values[position])
        loaded = _instance(self._model, self._db, self.columns, values[self._own])
        for populator in self._populators:
            _populate(populator, values, loaded)
        for name, column in self._annotations.items():
            setattr(loaded, name, values[column])
        return loaded

    def values(self, rows: Sequence[Row], name: str) -> list[Any]:
        """Return a column of the model."""
        position = self._own.start + self.columns.index(name)
        convert = dict(self._converters).get(position, _as_it_is)
        return [convert(row[position]) for row in rows]


def _as_it_is(value: Any) -> Any:
    return value


def _converting(functions: Sequence[Callable[..., Any]], expression: Any) -> Callable[[Any], Any]:
    if functions == [getattr(connection.ops, "convert_uuidfield_value", None)]:
        return _uuid_of

    def convert(value: Any) -> Any:
        for function in functions:
            value = function(value, expression, connection)
        return value

    return convert


@lru_cache(maxsize=MOST_IDS)
def _uuid_of(stored: str | None) -> UUID | None:
    # SQLite stores text. Lists repeat the same IDs all the time.
    return None if stored is None else UUID(stored)


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
