"""Detects a database that can't be used: full, locked, read-only, damaged or unreachable, as opposed to our own bugs.

Code needs no `except` for these errors: `middleware.StorageRefusals` answers 503 in words.
"""

import sqlite3
from collections.abc import Iterator
from contextvars import ContextVar
from enum import StrEnum

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError

RETRY_SECONDS = 60  # until a retry makes sense
UNUSABLE = (DatabaseError, InterfaceError)  # what drivers raise, whatever the cause


class Trouble(StrEnum):
    """Why the database can't be used. The log shows the value."""

    FULL = "full"
    LOCKED = "locked"
    READ_ONLY = "read_only"
    DAMAGED = "damaged"
    UNREACHABLE = "unreachable"


# The low byte of SQLite's result code.
_SQLITE = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Trouble.LOCKED,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.DAMAGED,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_CANTOPEN: Trouble.UNREACHABLE,
    sqlite3.SQLITE_NOMEM: Trouble.UNREACHABLE,
}
# Prefixes of PostgreSQL's SQLSTATE. The longest match decides.
_POSTGRESQL = {
    "08": Trouble.UNREACHABLE,
    "25006": Trouble.READ_ONLY,
    "40001": Trouble.LOCKED,
    "40P01": Trouble.LOCKED,
    "53": Trouble.UNREACHABLE,  # too many connections, out of memory
    "53100": Trouble.FULL,
    "55P03": Trouble.LOCKED,
    "57014": Trouble.LOCKED,  # statement timeout
    "57P": Trouble.UNREACHABLE,
    "58": Trouble.DAMAGED,
    "XX001": Trouble.DAMAGED,
    "XX002": Trouble.DAMAGED,
}

# Whether this request may have called a provider. After that, an error doesn't mean that nothing was sent.
call_may_have_left: ContextVar[bool] = ContextVar("call_may_have_left", default=False)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """None for our own bugs."""
    return next((found for each in _behind(error) if (found := _trouble_in(each))), None)


def request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _trouble_in(error: BaseException) -> Trouble | None:
    if isinstance(error, InterfaceError):  # the connection is already closed
        return Trouble.UNREACHABLE
    if not isinstance(error, DatabaseError):
        return None
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF)
    state = getattr(error.__cause__, "sqlstate", None)
    if state is not None:
        fitting = [begin for begin in _POSTGRESQL if state.startswith(begin)]
        return _POSTGRESQL[max(fitting, key=len)] if fitting else None
    # The server didn't respond: refused, cut off, or no free connection in time.
    return Trouble.UNREACHABLE if isinstance(error, OperationalError) else None
