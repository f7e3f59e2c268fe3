"""Migrations that check foreign keys only where they may have broken some.

Django checks every row of every table after each migration: with a million links, a new empty table took two minutes.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3 import schema
from django.db.models import Value

HARMLESS = re.compile(
    r"\s*(SELECT|PRAGMA|BEGIN|SAVEPOINT|RELEASE|ROLLBACK|ANALYZE|DROP (INDEX|TRIGGER|VIEW)|"
    r"CREATE (TABLE|VIRTUAL TABLE|INDEX|UNIQUE INDEX|TRIGGER|VIEW))\b",
    re.IGNORECASE,
)
OF_ITS_OWN_KEYS = re.compile(r'\s*(?:INSERT INTO|ALTER TABLE) "?(?P<table>\w+)', re.IGNORECASE)
OF_KEYS_TO_IT = re.compile(
    r'\s*(?:UPDATE(?! OR\b)|DELETE FROM|DROP TABLE(?: IF EXISTS)?) "?(?P<table>\w+)', re.IGNORECASE
)
RENAMED = re.compile(r'\s*ALTER TABLE "?(?!new__)\w+"? RENAME TO\b', re.IGNORECASE)  # but not a copy of a table
REFERRING = """
SELECT DISTINCT of.name FROM sqlite_master of, pragma_foreign_key_list(of.name) key
WHERE of.type = 'table' AND lower(key."table") = lower(%s)
"""


class SchemaEditor(schema.DatabaseSchemaEditor):
    def __enter__(self) -> "SchemaEditor":
        super().__enter__()
        self._written, self._changed, self._is_any = set[str](), set[str](), False
        self._watched = ExitStack()
        self._watched.enter_context(self.connection.execute_wrapper(self._note))
        return self

    def add_field(self, model: Any, field: Any) -> None:
        """Add a column with a constant default as such: Django would copy the table."""
        is_constant = field.has_db_default() and isinstance(field._db_default_expression, Value)
        if is_constant and field.concrete and not (field.unique or field.is_relation):
            BaseDatabaseSchemaEditor.add_field(self, model, field)
        else:
            super().add_field(model, field)

    def __exit__(self, *error: Any) -> None:
        self._watched.close()
        try:
            if error == (None, None, None):
                self.connection.check_constraints(None if self._is_any else self._to_check())
        except Exception as broken:
            self._end(type(broken), broken, broken.__traceback__)
            raise
        self._end(*error)

    def _end(self, *error: Any) -> None:
        try:
            BaseDatabaseSchemaEditor.__exit__(self, *error)
        finally:
            self.connection.enable_constraint_checking()

    def _note(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if RENAMED.match(sql):
            self._is_any = True
        elif written := OF_ITS_OWN_KEYS.match(sql):
            self._written.add(written["table"])
        elif changed := OF_KEYS_TO_IT.match(sql):
            self._changed.add(changed["table"])
        elif not HARMLESS.match(sql):
            self._is_any = True
        return execute(sql, *rest)

    def _to_check(self) -> list[str]:
        tables = self._written | self._changed
        with self.connection.cursor() as cursor:
            for table in self._changed:
                tables |= {name for (name,) in cursor.execute(REFERRING, [table]).fetchall()}
            return sorted(tables & set(self.connection.introspection.table_names(cursor)))
