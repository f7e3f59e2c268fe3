"""SQLite's transactions take turns within a process. Every end of one ends its turn."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock, Thread

import pytest
from django.db import ConnectionHandler, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3 import base as django_base

from linkadmin import environment
from linkadmin.sqlite import base
from linkadmin.web import storage


@pytest.fixture(autouse=True)
def turn(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    """Another than that of the test's own transaction."""
    with monkeypatch.context() as patch:
        patch.setattr(base, "_turn", turn := Lock())
        yield turn


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    with closing(connect(tmp_path)) as connection:
        yield connection


def connect(folder: Path, *, wait_seconds: float = 0.05) -> BaseDatabaseWrapper:
    settings = environment.database("NONE", embedded=folder / "database.sqlite3", wait_seconds=wait_seconds)
    return ConnectionHandler({"default": settings})["default"]


def begin(connection: BaseDatabaseWrapper) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def test_a_transaction_waits_for_the_one_before(connection: BaseDatabaseWrapper, tmp_path: Path, turn: Lock) -> None:
    order: list[str] = []

    def write() -> None:
        with closing(connect(tmp_path, wait_seconds=60)) as other:
            begin(other)
            order.append("second")
            other.commit()

    begin(connection)
    thread = Thread(target=write)
    thread.start()
    time.sleep(0.2)
    order.append("first")

    connection.commit()
    thread.join()

    assert order == ["first", "second"]
    assert not turn.locked()


@pytest.mark.parametrize("end", ["commit", "rollback", "_close"])
def test_each_end_of_a_transaction_ends_the_turn(connection: BaseDatabaseWrapper, turn: Lock, end: str) -> None:
    begin(connection)
    assert turn.locked()

    getattr(connection, end)()

    assert not turn.locked()


def test_a_transaction_that_cannot_begin_has_no_turn(
    connection: BaseDatabaseWrapper, turn: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object) -> None:
        raise OperationalError

    monkeypatch.setattr(django_base.DatabaseWrapper, "_start_transaction_under_autocommit", fail)
    with pytest.raises(OperationalError):
        begin(connection)

    assert not turn.locked()


def test_a_commit_that_fails_ends_the_turn(
    connection: BaseDatabaseWrapper, turn: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object) -> None:
        raise KeyboardInterrupt

    begin(connection)
    monkeypatch.setattr(django_base.DatabaseWrapper, "_commit", fail)
    with pytest.raises(KeyboardInterrupt):
        connection.commit()

    assert not turn.locked()


def test_a_turn_that_another_thread_has_does_not_pass_a_fork(turn: Lock) -> None:
    assert turn.acquire(blocking=False)

    if (child := os.fork()) == 0:
        os._exit(int(base._turn.locked()))
    _pid, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert base._turn is turn


def test_too_long_a_wait_is_a_locked_database(connection: BaseDatabaseWrapper, turn: Lock) -> None:
    assert turn.acquire(blocking=False)

    with pytest.raises(OperationalError) as locked:
        begin(connection)

    assert storage.trouble_of(locked.value) is storage.Trouble.LOCKED
    turn.release()
    begin(connection)  # as if nothing had happened
