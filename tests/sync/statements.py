"""Records which SQL statements reach the database, from any thread."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

CHANGES = re.compile(r'^(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "(\w+)"')


@contextmanager
def changed_tables() -> Iterator[list[str]]:
    """Collect the tables written to, once per statement."""
    tables: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if found := CHANGES.match(sql):
            tables.append(found[1])
        return execute(sql, params, many, context)

    def watch(connection: Any, **_more: Any) -> None:
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    for connection in connections.all(initialized_only=True):
        watch(connection)
    try:
        yield tables
    finally:
        connection_created.disconnect(watch)
        for connection in connections.all(initialized_only=True):
            connection.execute_wrappers.remove(note)
