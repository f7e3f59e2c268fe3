"""Print what pages ask of the database, in process: `python -m benchmarks.statements SESSION PATH …`.

Seconds are medians of several requests. They include the driver, and nothing of Django's templates.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.db import connection
from django.test import Client

ROUNDS = 10
Statement = tuple[str, Any, float]  # SQL, parameters, seconds


@contextmanager
def captured() -> Iterator[list[Statement]]:
    """Collect the statements of this thread."""
    statements: list[Statement] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            statements.append((sql, params, time.perf_counter() - started))

    with connection.execute_wrapper(note):
        yield statements


def _of_page(client: Client, path: str) -> list[Statement]:
    with captured() as statements:
        response = client.get(path)
    if response.status_code != 200:
        sys.exit(f"{path} answered {response.status_code}")
    return statements


def main(session: str, *paths: str) -> dict[str, dict[str, Any]]:
    client = Client(headers={"host": "127.0.0.1"})
    client.cookies["session"] = session
    found = {}
    for path in paths:
        rounds = [_of_page(client, path) for _ in range(ROUNDS)][1:]
        seconds = statistics.median(sum(each[2] for each in statements) for statements in rounds)
        found[path] = {"seconds": seconds, "statements": [sql for sql, _params, _seconds in rounds[-1]]}
    return found


if __name__ == "__main__":
    django.setup()
    json.dump(main(*sys.argv[1:]), sys.stdout)
