"""An earlier state of the database's tables, which ends with all migrations applied, whatever happens to the test."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@contextmanager
def migrated_back(app: str, migration: str | None) -> Iterator[None]:
    """Tables are as after `migration`; for None, the app has none. Later tests of this process get them all."""
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        MigrationExecutor(connection).migrate([(app, migration)])
        yield
    finally:
        MigrationExecutor(connection).migrate(latest)
