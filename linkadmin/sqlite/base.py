"""Django's backend for SQLite, but only one thread of a process at a time tries to get the database's only lock.

SQLite's own wait isn't fair: each writer tries again every 100 ms at most, and another may be faster. Under load, some
would give up while others get the lock many times.

Each process keeps one idle connection open. Closing the last connection to a database moves its whole log into it and
waits for the disk: at the end of a request, that takes longer than the request.
"""

import os
import sqlite3
from functools import lru_cache
from threading import Lock
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from linkadmin.providers.names import masked

from .schema import SchemaEditor

LONG = 4_000  # characters of a statement: such as inserts of many rows, which are never the same

_turn = Lock()
_opening = Lock()
_kept_open: dict[str, sqlite3.Connection] = {}  # by file


class Cursor(base.SQLiteCursorWrapper):
    """Translates placeholders of a statement once, not each time."""

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        if param_names is None and len(query) < LONG:
            return _translated(query)
        return super().convert_query(query, param_names=param_names)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor
    _held: "Lock | None" = None  # the lock, while it's this connection's turn

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.create_function("masked", 1, _masked, deterministic=True)
        if not self.is_in_memory_db():
            _keep_open(str(conn_params["database"]))
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)

    def _start_transaction_under_autocommit(self) -> None:
        self._wait_for_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # not in the stubs
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc] # not in the stubs
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc] # not in the stubs
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc] # not in the stubs
        finally:
            self._end_turn()

    def _wait_for_turn(self) -> None:
        (most,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        turn = _turn
        if not turn.acquire(timeout=most / 1000):
            locked = sqlite3.OperationalError("database is locked")
            locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError(*locked.args) from locked
        self._held = turn

    def _end_turn(self) -> None:
        if self._held is not None:
            turn, self._held = self._held, None
            turn.release()


def _masked(name: str | None) -> str | None:
    return name and masked(name)


@lru_cache(maxsize=500)
def _translated(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


def _keep_open(file: str) -> None:
    with _opening:
        if file in _kept_open:
            return
        idle = sqlite3.connect(file, check_same_thread=False)
        try:
            idle.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # only now is the file open
        except sqlite3.Error:
            idle.close()
        else:
            _kept_open[file] = idle


def _before_fork() -> None:
    # SQLite's locks don't survive a fork, but a copied connection would rely on them.
    _opening.acquire()
    while _kept_open:
        _kept_open.popitem()[1].close()


def _after_fork_in_child() -> None:
    global _turn  # the thread whose turn it was isn't here, and can't end it
    _turn = Lock()
    _opening.release()


os.register_at_fork(before=_before_fork, after_in_parent=_opening.release, after_in_child=_after_fork_in_child)
