"""W9: what an audit log costs at least. `python -m benchmarks.floors.audit bare COUNT` prints the seconds.

- bare: one INSERT and its COMMIT per event, and no chain.
- chained: lock the head, read it, hash in Python, insert, move the head, commit.
- hmac: HMAC of each event in memory, chained; what verifying costs at least.
"""

import hashlib
import hmac
import sys
import time
from typing import Any

from .raw import connect, execute, is_sqlite

KEY = b"k" * 32
BODY = '{"action":"link.viewed",' + '"details":{},"object_id":"0123456789abcdef",' * 8 + '"seq":%d}'  # an event's size


def bare(connection: Any, count: int) -> None:
    for number in range(count):
        execute(connection, "INSERT INTO floor_event (body, mac) VALUES (%s, %s)", (BODY % number, "0" * 64))


def chained(connection: Any, count: int) -> None:
    lock = "" if is_sqlite(connection) else " FOR UPDATE"
    for _ in range(count):
        connection.execute("BEGIN IMMEDIATE" if is_sqlite(connection) else "BEGIN")
        seq, prev = connection.execute(f"SELECT seq, mac FROM floor_head{lock}").fetchone()  # noqa: S608
        body = BODY % seq
        mac = _mac(body, prev)
        execute(connection, "INSERT INTO floor_event (body, mac) VALUES (%s, %s)", (body, mac))
        execute(connection, "UPDATE floor_head SET seq = %s, mac = %s", (seq + 1, mac))
        connection.execute("COMMIT")


def hmac_loop(_connection: Any, count: int) -> None:
    mac = "0" * 64
    for _ in range(count):
        mac = _mac(BODY, mac)


def _mac(body: str, prev: str) -> str:
    return hmac.new(KEY, prev.encode() + body.encode(), hashlib.sha256).hexdigest()


def prepare(connection: Any) -> None:
    number = "integer PRIMARY KEY" if is_sqlite(connection) else "bigserial PRIMARY KEY"
    connection.execute("DROP TABLE IF EXISTS floor_event")
    connection.execute("DROP TABLE IF EXISTS floor_head")
    connection.execute(f"CREATE TABLE floor_event (seq {number}, body text NOT NULL, mac text NOT NULL)")
    connection.execute("CREATE TABLE floor_head (seq bigint NOT NULL, mac text NOT NULL)")
    execute(connection, "INSERT INTO floor_head VALUES (%s, %s)", (0, "0" * 64))


WAYS = {"bare": bare, "chained": chained, "hmac": hmac_loop}

if __name__ == "__main__":
    database = connect()
    if sys.argv[1] == "prepare":
        prepare(database)
    else:
        started = time.perf_counter()
        WAYS[sys.argv[1]](database, int(sys.argv[2]))
        print(time.perf_counter() - started)
