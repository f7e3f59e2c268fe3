"""A process keeps SQLite's files open between its connections, and no connection passes a fork."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from django.db import ConnectionHandler
from django.db.backends.base.base import BaseDatabaseWrapper

from linkadmin import database, environment
from linkadmin.sqlite import base

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "database.sqlite3"


def connect(file: Path) -> BaseDatabaseWrapper:
    return ConnectionHandler({"default": environment.database("NONE", embedded=file, wait_seconds=1)})["default"]


def write(file: Path) -> None:
    with closing(connect(file)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE written (id integer)")


def test_closing_a_connection_does_not_move_the_log_into_the_database(file: Path) -> None:
    write(file)

    assert database.wal_bytes(file) > 0


def test_the_log_can_still_be_shortened(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAL_BYTES", 0)
    write(file)

    database.shorten_wal(file)

    assert database.wal_bytes(file) == 0


def test_a_forked_process_has_none_of_its_parents(file: Path) -> None:
    write(file)

    if (child := os.fork()) == 0:
        os._exit(len(base._kept_open))
    _pid, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_a_database_that_cannot_be_read_is_reported_by_its_own_connection(file: Path) -> None:
    file.write_bytes(b"not a database " * 100)
    before = len(base._kept_open)

    with pytest.raises(Exception, match="file is not a database"), closing(connect(file)) as connection:
        connection.ensure_connection()

    assert len(base._kept_open) == before
