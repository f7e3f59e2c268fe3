"""SQLite's log stays short while threads write and there is a reader at every moment. Dead connections are replaced."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from linkadmin import database, environment

PAGE = 4096
LIMIT = 500  # pages
WRITTEN = 20_000  # pages, or more within SOAK_SECONDS
SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS") or 0)  # of `make soak`
WRITERS, READERS = 8, 3


def connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=600, isolation_level=None)  # however busy the machine is
    for command in environment.SQLITE:
        connection.execute(command)
    return connection


def log_pages(file: Path) -> int:
    return database.wal_bytes(file) // PAGE


class Load:
    """Threads that write at least WRITTEN pages, and others that read overlapping snapshots meanwhile."""

    def __init__(self, file: Path) -> None:
        self.written, self._until = 0, time.monotonic() + SOAK_SECONDS
        self._file, self._lock = file, threading.Lock()
        tasks = [(self._write, number) for number in range(WRITERS)] + [(self._read, n) for n in range(READERS)]
        self._threads = [threading.Thread(target=task, args=[number], daemon=True) for task, number in tasks]

    @property
    def is_over(self) -> bool:
        return self.written >= WRITTEN and time.monotonic() >= self._until

    def run(self, meanwhile: Callable[[], None]) -> None:
        for thread in self._threads:
            thread.start()
        while any(thread.is_alive() for thread in self._threads):
            meanwhile()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        with closing(connect(self._file)) as connection:
            while not self.is_over:
                connection.execute("BEGIN IMMEDIATE")
                first = 1 + self.written % 1_900
                connection.execute("UPDATE rows SET text = 'z' || text WHERE id BETWEEN ? AND ?", [first, first + 4])
                connection.execute("COMMIT")
                with self._lock:
                    self.written += 5  # at least one page for each row

    def _read(self, number: int) -> None:
        with closing(connect(self._file)) as connection:
            time.sleep(0.02 * number)
            while not self.is_over:
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM rows").fetchone()
                time.sleep(0.06)
                connection.execute("COMMIT")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "database.sqlite3"
    with closing(connect(file)) as connection:
        connection.execute("CREATE TABLE rows (id integer PRIMARY KEY, text text)")
        connection.executemany("INSERT INTO rows (text) VALUES (?)", [("x" * 3_000,)] * 2_000)
    return file


@pytest.mark.deep
def test_log_does_not_grow_with_what_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAL_BYTES", LIMIT * PAGE)
    monkeypatch.setattr(database, "CHECKPOINT_SECONDS", 60)  # on a busy machine, its turn among the writers comes late
    load, lengths = Load(file), [0]

    def shorten() -> None:
        time.sleep(0.01)
        lengths.append(log_pages(file))
        database.shorten_wal(file)

    load.run(shorten)

    assert load.written >= WRITTEN
    assert max(lengths) < load.written / 4
    database.shorten_wal(file)
    assert log_pages(file) <= LIMIT


def test_short_log_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(connect(file)) as connection:
        connection.execute("UPDATE rows SET text = 'y' WHERE id < 100")
        before = log_pages(file)

        database.shorten_wal(file)
        assert log_pages(file) == before > 0

        monkeypatch.setattr(database, "WAL_BYTES", 0)
        database.shorten_wal(file)
        assert log_pages(file) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_kept", "times"), [(True, 2), (False, 1)], ids=["kept", "new"])
def test_only_a_connection_kept_from_before_is_replaced(
    monkeypatch: pytest.MonkeyPatch, is_kept: bool, times: int
) -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        raise OperationalError

    monkeypatch.setattr(connection, "is_usable", lambda: False)
    connection.close()
    if is_kept:
        connection.ensure_connection()

    with pytest.raises(OperationalError):
        database.on_live_connection(fail)

    assert len(tries) == times  # a server that is down isn't waited for twice
