"""An index that finds any part of a text column through its trigrams: FTS5 on SQLite, pg_trgm on PostgreSQL.

The text is folded in Python, and both compare it exactly, so they find what `in` would. On SQLite:

- Triggers keep the index in step with every kind of write except REPLACE, which fires none.
- FTS5 needs an integer key that VACUUM doesn't change, so there's a table of keys.
- A migration that makes Django copy the table has to add the index again: triggers aren't copied.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import F
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan, Lookup

from .lookups import Select, column_of

MAX_LOOKED_UP = 12_000  # from about here on, reading each row's text costs less

# A shorter run of letters has no trigram: PostgreSQL would read the whole index, and FTS5 finds nothing.
_TRIGRAM = re.compile(r"[^\W_]{3}")

_ADD_KEY = "INSERT INTO {keys}(row_id) VALUES (NEW.{key}); "
_REMOVE_KEY = "DELETE FROM {keys} WHERE row_id = OLD.{key}; "
_ADD = "INSERT INTO {fts}(rowid, text) SELECT id, NEW.{column} FROM {keys} WHERE row_id = NEW.{key}; "
_REMOVE = (
    "INSERT INTO {fts}({fts}, rowid, text) SELECT 'delete', id, OLD.{column} FROM {keys} WHERE row_id = OLD.{key}; "
)
_CREATE = {
    "postgresql": ("CREATE INDEX {gin} ON {table} USING gin ({column} gin_trgm_ops)",),
    "sqlite": (
        "CREATE TABLE {keys} (id integer PRIMARY KEY, row_id text NOT NULL UNIQUE)",
        "CREATE VIEW {texts} AS SELECT k.id, t.{column} AS text FROM {keys} k JOIN {table} t ON t.{key} = k.row_id",
        "CREATE VIRTUAL TABLE {fts} USING fts5(text, content={texts}, content_rowid=id, columnsize=0, "
        "tokenize='trigram case_sensitive 1')",
        "INSERT INTO {keys}(row_id) SELECT {key} FROM {table} ORDER BY rowid",
        "INSERT INTO {fts}({fts}) VALUES ('rebuild')",
        "CREATE TRIGGER {fts}_insert AFTER INSERT ON {table} BEGIN " + _ADD_KEY + _ADD + " END",
        "CREATE TRIGGER {fts}_update AFTER UPDATE OF {column} ON {table} WHEN OLD.{column} <> NEW.{column} "
        "BEGIN " + _REMOVE + _ADD + " END",
        "CREATE TRIGGER {fts}_delete AFTER DELETE ON {table} BEGIN " + _REMOVE + _REMOVE_KEY + " END",
    ),
}
_DROP = {
    "postgresql": ("DROP INDEX IF EXISTS {gin}",),
    "sqlite": (
        "DROP TRIGGER IF EXISTS {fts}_insert",
        "DROP TRIGGER IF EXISTS {fts}_update",
        "DROP TRIGGER IF EXISTS {fts}_delete",
        "DROP TABLE IF EXISTS {fts}",
        "DROP VIEW IF EXISTS {texts}",
        "DROP TABLE IF EXISTS {keys}",
    ),
}
_SELECT = {
    "postgresql": "SELECT {key} FROM {table} WHERE",
    "sqlite": "SELECT k.row_id FROM {fts} CROSS JOIN {keys} k ON k.id = {fts}.rowid WHERE {fts} MATCH %s",
}
_ROWS = "SELECT rowid FROM {fts} WHERE {fts} MATCH %s"
_KEYS_OF_ROWS = "SELECT row_id FROM {keys} WHERE id IN (SELECT value FROM json_each(%s))"
_ROW_OF_KEY = "SELECT id FROM {keys} WHERE row_id ="
_IN_FORCE = {
    "postgresql": "SELECT COUNT(*) = 1 FROM pg_index WHERE indexrelid = to_regclass('{gin}') AND indisvalid",
    "sqlite": "SELECT COUNT(*) = 3 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}' "
    "AND name IN ('{fts}_insert', '{fts}_update', '{fts}_delete')",
}
_ALL_HAVE_KEYS = "SELECT NOT EXISTS (SELECT 1 FROM {table} WHERE {key} NOT IN (SELECT row_id FROM {keys}))"
_CHECK = "INSERT INTO {fts}({fts}, rank) VALUES ('integrity-check', 1)"


def is_indexed(word: str) -> bool:
    return _TRIGRAM.search(word) is not None


def contains(text: Any, word: str) -> GreaterThan:
    """Whether a text has a word in it, tested row by row: no index can be chosen for it."""
    return GreaterThan(StrIndex(text, models.Value(word)), 0)


@dataclass(frozen=True)
class _FtsSelect(Select):
    """Finds rows by number first: looking up their keys takes ten times as long."""

    rows: str
    keys_of_rows: str

    def keys(self, most: int) -> list[Any] | None:
        rows = self._rows.keys(most)
        return rows and column_of(self.keys_of_rows, [json.dumps(rows)])

    def some(self, most: int) -> list[Any]:
        return column_of(self.keys_of_rows, [json.dumps(self._rows.some(most))])

    def is_more(self, most: int) -> bool:
        return self._rows.is_more(most)

    @property
    def _rows(self) -> Select:
        return Select(self.rows, self.params)


@dataclass(frozen=True)
class TextIndex:
    model: type[models.Model]
    column: str

    def select(self, words: Iterable[str]) -> Select:
        """Select the primary keys of rows whose text has all words in it. `words` are folded and indexed."""
        if connection.vendor == "sqlite":
            phrases = ('"{}"'.format(word.replace('"', '""')) for word in words)
            found = (" AND ".join(phrases),)
            return _FtsSelect(self._sql(_SELECT["sqlite"]), found, self._sql(_ROWS), self._sql(_KEYS_OF_ROWS))
        patterns = tuple(f"%{connection.ops.prep_for_like_query(word)}%" for word in words)
        conditions = self._sql(" AND ".join(["{column} LIKE %s"] * len(patterns)))
        return Select(f"{self._sql(_SELECT['postgresql'])} {conditions}", patterns)

    def tested(self, text: Any, word: str) -> "Lookup[Any]":
        """Whether a row's text has a word in it, tested row by row."""
        found = self.select([word])
        if isinstance(found, _FtsSelect) and is_indexed(word) and not found.is_more(MAX_LOOKED_UP):
            return _Indexed(F("pk"), (self._sql(_ROW_OF_KEY), found))
        return contains(text, word)

    def create_statements(self, vendor: str) -> list[str]:
        return [self._sql(statement) for statement in _CREATE[vendor]]

    def drop_statements(self, vendor: str) -> list[str]:
        return [self._sql(statement) for statement in _DROP[vendor]]

    def create(self) -> None:
        self._execute(self.create_statements(connection.vendor))

    def drop(self) -> None:
        self._execute(self.drop_statements(connection.vendor))

    def is_sound(self) -> bool:
        """Whether the index is in force and agrees with the texts. Reads them all on SQLite."""
        if not self._says(_IN_FORCE[connection.vendor]) or connection.vendor != "sqlite":
            return self._says(_IN_FORCE[connection.vendor])
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(self._sql(_CHECK))
        except DatabaseError:
            return False
        return self._says(_ALL_HAVE_KEYS)

    def _execute(self, statements: Iterable[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _says(self, query: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(self._sql(query))
            return bool(cursor.fetchone()[0])

    def _sql(self, statement: str) -> str:
        table = self.model._meta.db_table
        made = {name: f"{table}_{name}" for name in ("fts", "keys", "texts", "gin")}
        return statement.format(table=table, key=self.model._meta.pk.column, column=self.column, **made)


class _Indexed(Lookup):
    """Whether an index has a row's key among those of a word. Takes half as long as reading the row's text."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = self.process_lhs(compiler, connection)
        row, found = self.rhs
        return f"({row} {sql}) IN ({found.rows})", [*params, *found.params]


class AddTextIndex(Operation):
    """Create a model's text index and fill it. No part of the model's state: each engine has its own."""

    reversible = True

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name, self.column = model_name, column

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(schema_editor, self._index(app_label, to_state).create_statements)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(schema_editor, self._index(app_label, from_state).drop_statements)

    def describe(self) -> str:
        return f"Index all parts of {self.column} of {self.model_name}"

    def _index(self, app_label: str, state: ProjectState) -> TextIndex:
        return TextIndex(state.apps.get_model(app_label, self.model_name), self.column)

    def _execute(self, schema_editor: BaseDatabaseSchemaEditor, statements: Callable[[str], list[str]]) -> None:
        for statement in statements(schema_editor.connection.vendor):
            schema_editor.execute(statement, params=None)
