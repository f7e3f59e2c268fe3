"""Rows written without the ORM: COPY on PostgreSQL, executemany on SQLite, indexes made afterwards."""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection, models, transaction

SEED = 20_261_128
CHUNK = 20_000  # rows of one COPY or executemany
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Table:
    """Rows of a model as the database spells them; every column that isn't named has its default."""

    def __init__(self, model: type[models.Model], *names: str) -> None:
        columns = {field.name: field for field in model._meta.concrete_fields}
        varying = [columns[name] for name in names]
        fixed = [
            field
            for field in model._meta.concrete_fields
            if field not in varying and not field.has_db_default() and not isinstance(field, models.AutoField)
        ]
        self.fixed = [field.get_db_prep_save(field.get_default(), connection) for field in fixed]
        quote = connection.ops.quote_name
        self.name = quote(model._meta.db_table)
        self.columns = ", ".join(quote(str(field.column)) for field in [*varying, *fixed])
        self.width = len(varying) + len(fixed)

    def fill(self, rows: Iterable[Sequence[Any]]) -> None:
        whole = ((*row, *self.fixed) for row in rows)
        while chunk := list(islice(whole, CHUNK)):
            with transaction.atomic(), connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    with cursor.copy(f"COPY {self.name} ({self.columns}) FROM STDIN") as copy:
                        for row in chunk:
                            copy.write_row(row)
                else:
                    marks = ", ".join(["%s"] * self.width)
                    sql = f"INSERT INTO {self.name} ({self.columns}) VALUES ({marks})"  # noqa: S608
                    cursor.executemany(sql, chunk)


@contextmanager
def loading(*tables: type[models.Model]) -> Iterator[None]:
    """Leave out what makes loading slow: secondary indexes, checks of foreign keys, waiting for the disk."""
    dropped: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(_UNCHECKED[connection.vendor])
        for model in tables:
            cursor.execute(_INDEXES[connection.vendor], [model._meta.db_table])
            for name, definition in cursor.fetchall():
                cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
                dropped.append(definition)
        yield
        for definition in dropped:
            cursor.execute(definition)
        cursor.execute(_CHECKED[connection.vendor])


_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = %s",
    "postgresql": (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))"
    ),
}
_UNCHECKED = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET session_replication_role = replica; SET synchronous_commit = off;"
    " SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'",
}
_CHECKED = {"sqlite": "PRAGMA foreign_keys = ON", "postgresql": "RESET ALL; SET timezone = 'UTC'"}


def chance_of(stage: str) -> random.Random:
    return random.Random(f"{SEED} {stage}")  # noqa: S311 - no secret depends on it


def new_id(chance: random.Random) -> str:
    return uuid.UUID(int=chance.getrandbits(128), version=4).hex


def dashed(pk: str) -> str:
    return str(uuid.UUID(pk))


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
