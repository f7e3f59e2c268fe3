"""Django's backend for SQLite, but only one thread of a process at a time tries to get the database's only lock.

SQLite's own wait isn't fair: each writer tries again every 100 ms at most, and another may be faster. Under load, some
would give up while others get the lock many times.
"""

import sqlite3
from threading import Lock

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_turn = Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._wait_for_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # not in the stubs
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc] # not in the stubs
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
        self._has_turn = _turn.acquire(timeout=most / 1000)
        if not self._has_turn:
            locked = sqlite3.OperationalError("database is locked")
            locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError(*locked.args) from locked

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()
