"""Database connections: when they're released, and how long they wait for a lock."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections


def release_connections() -> None:
    """Return this thread's connections to their pool, so that none is held while waiting for a provider.

    SQLite has no pool: between transactions a connection holds nothing, and opening one takes longer than its
    statements. Does nothing inside a transaction.
    """
    for each in connections.all(initialized_only=True):
        if each.vendor != "sqlite" and not each.in_atomic_block:
            each.close()


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
