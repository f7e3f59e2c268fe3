"""Migrations on SQLite check the foreign keys that they may have broken, and read no other tables."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock

import pytest
from django.apps.registry import Apps
from django.db import ConnectionHandler, IntegrityError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from linkadmin import environment
from linkadmin.sqlite import base

CHECKED = "PRAGMA foreign_key_check"
TABLES = """
CREATE TABLE bank (id integer PRIMARY KEY, name text);
CREATE TABLE link (id integer PRIMARY KEY, bank integer REFERENCES bank (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE note (id integer PRIMARY KEY, link integer REFERENCES link (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO bank VALUES (1, 'one');
INSERT INTO link VALUES (1, 1);
INSERT INTO note VALUES (1, 1)
"""


@pytest.fixture
def connection(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    settings = environment.database("NONE", embedded=tmp_path / "database.sqlite3", wait_seconds=1)
    handler = ConnectionHandler({"default": settings})
    with closing(handler["default"]) as connection, monkeypatch.context() as patch:
        patch.setattr(transaction, "connections", handler)
        patch.setattr(base, "_turn", Lock())  # another than that of the test's own transaction
        with connection.cursor() as cursor:
            for statement in TABLES.split(";"):
                cursor.execute(statement)
        yield connection


def checked(connection: BaseDatabaseWrapper, *statements: str) -> list[str]:
    """The tables whose keys are checked after these statements of a migration."""
    connection.force_debug_cursor = True
    with connection.schema_editor() as editor:
        for statement in statements:
            editor.execute(statement, params=None)
    said = [query["sql"].removeprefix(CHECKED) for query in connection.queries if CHECKED in query["sql"]]
    return [each.strip('(")') or "all" for each in said]


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("CREATE INDEX link_of_bank ON link (bank)", []),
        ("CREATE TABLE other (id integer PRIMARY KEY)", []),
        ("INSERT INTO note VALUES (2, 1)", ["note"]),
        ('insert into "note" select 2, 1', ["note"]),
        ('ALTER TABLE "link" ADD COLUMN seen text', ["link"]),
        ("UPDATE link SET bank = 1", ["link", "note"]),
        ("UPDATE OR IGNORE link SET bank = 1", ["all"]),
        ("DELETE FROM note", ["note"]),
        ("DROP TABLE IF EXISTS note", []),
        ('ALTER TABLE "note" RENAME TO "remark"', ["all"]),
        ("CREATE VIEW banks AS SELECT * FROM bank", []),
        ("WITH some AS (SELECT 2) INSERT INTO note SELECT *, 1 FROM some", ["all"]),
        ("REPLACE INTO note VALUES (2, 1)", ["all"]),
    ],
)
def test_only_keys_that_may_be_broken_are_checked(
    connection: BaseDatabaseWrapper, statement: str, tables: list[str]
) -> None:
    assert checked(connection, statement) == tables


def test_a_table_that_is_copied_is_checked_with_those_that_refer_to_it(connection: BaseDatabaseWrapper) -> None:
    copied = (
        "CREATE TABLE new__link (id integer PRIMARY KEY, bank integer REFERENCES bank (id))",
        "INSERT INTO new__link SELECT id, bank FROM link",
        "DROP TABLE link",
        "ALTER TABLE new__link RENAME TO link",
    )

    assert checked(connection, *copied) == ["link", "note"]


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO note VALUES (2, 9)", "UPDATE link SET id = 2", "DELETE FROM bank", "REPLACE INTO link VALUES (1, 2)"],
)
def test_a_broken_key_undoes_the_migration(connection: BaseDatabaseWrapper, statement: str) -> None:
    with pytest.raises(IntegrityError):
        checked(connection, "CREATE TABLE other (id integer PRIMARY KEY)", statement)

    assert "other" not in connection.introspection.table_names()
    assert not connection.in_atomic_block
    connection.check_constraints()


def test_a_column_with_a_constant_default_is_added_without_copying_the_table(connection: BaseDatabaseWrapper) -> None:
    class Bank(models.Model):
        class Meta:
            app_label = "of_tests"
            apps = Apps()
            db_table = "bank"
            managed = False

        def __str__(self) -> str:
            return ""

    field = models.CharField(max_length=9, default="here", db_default="here")
    field.set_attributes_from_name("place")
    field.model = Bank
    with CaptureQueriesContext(connection) as captured, connection.schema_editor() as editor:
        editor.add_field(Bank, field)

    changes = [query["sql"] for query in captured if query["sql"].startswith(("CREATE", "ALTER", "INSERT"))]
    assert changes == ['ALTER TABLE "bank" ADD COLUMN "place" varchar(9) DEFAULT \'here\' NOT NULL']
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT place FROM bank").fetchall() == [("here",)]
