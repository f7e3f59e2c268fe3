"""Database connections: when they're released, how long they wait for a lock, and how to write many rows at once.

SQLite's log is kept short.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models import Model

Found = TypeVar("Found")


def release_connections() -> None:
    """Close this thread's connections, so that none is held while waiting for a provider.

    Does nothing inside a transaction.
    """
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close()


def return_connections() -> None:
    """Return this thread's connections to their pool, but keep SQLite's: between transactions they hold nothing.

    Opening one takes longer than a few statements. Of many threads, though, each costs a megabyte.
    """
    if connection.vendor != "sqlite":
        release_connections()


def on_live_connection(work: Callable[[], Found]) -> Found:
    """Run once more if this thread's connection was dead, such as after a restart of the server.

    For work that keeps its connection between requests: checking it each time costs more than the work.
    """
    was_kept = connection.connection is not None
    try:
        return work()
    except (OperationalError, InterfaceError):
        if not was_kept or connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return work()


def driver_rows(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run a statement with values as the driver takes them: Django's cursor would take longer than a small INSERT."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        if connection.vendor == "sqlite":
            return list(connection.connection.execute(sql.replace("%s", "?"), params).fetchall())
        from psycopg import Cursor  # 9 MB that nothing else needs with SQLite

        return Cursor(connection.connection).execute(sql, params).fetchall()


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one model, which the caller has locked.

    `bulk_update` builds a CASE of all rows for each column, and takes 20 times as long.
    """
    if not rows or not names:
        return
    meta, quoted = rows[0]._meta, connection.ops.quote_name
    fields: list[Any] = [*map(meta.get_field, names), meta.pk]
    *columns, key = (f"{quoted(field.column)} = %s" for field in fields)
    sql = f"UPDATE {quoted(meta.db_table)} SET {', '.join(columns)} WHERE {key}"  # noqa: S608 - our own names
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Wait for SQLite's only lock no longer than this, where a person waits and little is lost.

    PostgreSQL locks rows, which nobody else holds.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    sqlite = connection.connection
    usual = int(sqlite.execute("PRAGMA busy_timeout").fetchone()[0])
    sqlite.execute(f"PRAGMA busy_timeout = {min(usual, round(seconds * 1000))}")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {usual}")


WAL_BYTES = 16 * 2**20  # 16 MiB: a longer log slows reads down
CHECKPOINT_SECONDS = 1.0  # writers wait as long, every few seconds if a reader never ends


def shorten_wal(file: Path) -> None:
    """Empty SQLite's write-ahead log, if it's long, into its database.

    SQLite does this automatically, but can restart the log only while nobody reads. With many readers that moment never
    comes, and the log grows without limit. This waits for old readers while new ones read the database.
    """
    if wal_bytes(file) <= WAL_BYTES:
        return
    with closing(sqlite3.connect(file, timeout=CHECKPOINT_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def wal_bytes(file: Path) -> int:
    try:
        return Path(f"{file}-wal").stat().st_size
    except FileNotFoundError:  # nothing has it open
        return 0
