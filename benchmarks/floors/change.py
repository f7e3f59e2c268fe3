"""W6: what a change at a provider costs at least: one bare PUT and three bare commits."""

import http.client
import time
from typing import Any

from .raw import connect, execute

COMMITS = 3  # the intent, the claim, the outcome


def prepare() -> Any:
    connection = connect()
    connection.execute("DROP TABLE IF EXISTS floor_change")
    connection.execute("CREATE TABLE floor_change (id integer PRIMARY KEY, state integer NOT NULL)")
    connection.execute("INSERT INTO floor_change VALUES (1, 0)")
    return connection


def change(connection: Any, address: str, path: str, body: bytes, headers: dict[str, str]) -> float:
    """Return the seconds. Every PUT has a connection of its own, as a change needs one that isn't stale."""
    started = time.perf_counter()
    for number in range(COMMITS):
        execute(connection, "UPDATE floor_change SET state = %s", (number,))
    provider = http.client.HTTPConnection(address, timeout=60)
    provider.request("PUT", path, body, headers)
    provider.getresponse().read()
    provider.close()
    return time.perf_counter() - started
