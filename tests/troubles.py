"""A database that can't be used, for real: locked, full, read-only, or unreachable. It recovers afterwards."""

import re
import resource
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from django.db import OperationalError, connection, connections
from django.db.models import Model

from linkadmin.audit.log import record
from linkadmin.audit.models import Outcome
from linkadmin.web.storage import UNUSABLE

WAIT_SECONDS = 0.05  # for a lock that nobody releases
IS_SQLITE = connection.vendor == "sqlite"
_REFUSE_AS_FULL = """
    CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$
"""


@contextmanager
def locked() -> Iterator[None]:
    """Hold every write lock, as an endless transaction would."""
    with impatient(), lock_of_another():
        yield


@contextmanager
def impatient() -> Iterator[None]:
    """Lock timeouts are short enough for a test."""
    with _connected(_options(WAIT_SECONDS)):
        yield


@contextmanager
def lock_of_another() -> Iterator[None]:
    """Only take the locks: existing connections wait as long as before."""
    if IS_SQLITE:
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.close()
        return
    tables = ", ".join(connection.introspection.table_names())
    with psycopg.connect(**parameters()) as another:
        another.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            another.rollback()


@contextmanager
def full() -> Iterator[None]:
    """Leave no room for another row."""
    if IS_SQLITE:
        with _connected(_options(WAIT_SECONDS, init="PRAGMA max_page_count=1;")):  # as many as there are
            with suppress(*UNUSABLE):
                while True:  # the free space within those pages
                    record(actor=None, action="x", outcome=Outcome.DONE)
            yield
        return
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE_AS_FULL)
        for table in tables:
            cursor.execute(
                f"CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION no_space()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_space CASCADE")


@contextmanager
def read_only() -> Iterator[None]:
    """Allow only reads, like a file without write permission or a standby server."""
    statement = "PRAGMA query_only=ON" if IS_SQLITE else "-c default_transaction_read_only=on"
    with _connected(_options(WAIT_SECONDS, init=statement)):
        yield


@contextmanager
def away() -> Iterator[None]:
    """Accept no connections."""
    name = connection.settings_dict["NAME"]
    with _connected({**_options(WAIT_SECONDS)}, NAME="/nowhere/at.all" if IS_SQLITE else f"{name}_gone"):
        yield


@contextmanager
def no_more_connections() -> Iterator[None]:
    """This thread holds the pool's only connection."""
    options = _options(WAIT_SECONDS)
    with _connected(options | {"pool": options["pool"] | {"max_size": 1}}):
        connection.ensure_connection()
        yield


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Limit files of this process to `size` bytes. Writing more fails, as on a full disk."""
    _soft, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


UNWRITABLE: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "locked": locked,
    "full": full,
    "read-only": read_only,
}


def _options(seconds: float, *, init: str = "") -> dict[str, Any]:
    options: dict[str, Any] = dict(connection.settings_dict["OPTIONS"])
    if IS_SQLITE:
        return options | {"timeout": seconds, "init_command": f"{options['init_command']}; {init}"}
    pool = {"min_size": 0, "max_size": 10, "timeout": 0.2}
    return options | {"pool": pool, "options": f"-c lock_timeout={round(seconds * 1000)} {init}"}


@contextmanager
def _connected(options: dict[str, Any], **more: Any) -> Iterator[None]:
    """Connect with other options, in all threads, while this lasts."""
    usual = dict(connection.settings_dict)
    _reconnect(usual | {"OPTIONS": options} | more)
    try:
        yield
    finally:
        _reconnect(usual)


def _reconnect(settings: Mapping[str, Any]) -> None:
    connections.close_all()
    if not IS_SQLITE:
        connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict.update(settings)


def parameters() -> dict[str, Any]:
    """psycopg's connection parameters for the test database."""
    given = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {name: given[ours] for name, ours in names.items() if given[ours]}


@contextmanager
def refused(statement: str, model: type[Model]) -> Iterator[None]:
    """Fail one kind of statement on one table of this connection, as if the disk had just filled up."""

    refused_one = re.compile(rf'(?:^|\) ){statement} (?:INTO |FROM )?"?{model._meta.db_table}"?[ (]')

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if refused_one.search(sql):
            raise OperationalError("no space left")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        yield
