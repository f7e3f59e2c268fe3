"""Queries that open pages repeat all the time, compiled once: compiling costs more than running them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property

Row = tuple[Any, ...]
ANY = UUID(int=0)  # placeholder for the key in the compiled query
_KEY = models.UUIDField()


class CompiledQuery:
    """A query of rows by one key or none. Returns values as the database has them."""

    def __init__(self, build: Callable[[UUID], "QuerySet[Any, Any]"]) -> None:
        self._build = build

    def rows(self, key: UUID = ANY) -> list[Row]:
        sql, params = self._compiled
        any_key, wanted = _KEY.get_db_prep_value(ANY, connection), _KEY.get_db_prep_value(key, connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, [wanted if param == any_key else param for param in params])
            return list(cursor.fetchall())

    def row(self, key: UUID) -> Row | None:
        return next(iter(self.rows(key)), None)

    @cached_property
    def _compiled(self) -> tuple[str, Row]:
        sql, params = self._build(ANY).query.sql_with_params()
        return sql, tuple(params)


def time_of(value: datetime | str | None) -> datetime | None:
    # SQLite returns naive UTC, or text.
    if isinstance(value, str):
        value = parse_datetime(value)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value
