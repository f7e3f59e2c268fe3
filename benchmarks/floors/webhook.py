"""A bare WSGI application that stores each body: one INSERT and its COMMIT.

Served by `gunicorn "benchmarks.floors.webhook:site()"`.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .raw import connect, execute

Site = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def site(synchronous: str = "NORMAL") -> Site:
    local = threading.local()
    execute(connect(), "CREATE TABLE IF NOT EXISTS floor_delivery (id text PRIMARY KEY, at text, body text)")

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not hasattr(local, "connection"):
            local.connection = connect(synchronous=synchronous)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        row = (uuid4().hex, datetime.now(UTC).isoformat(), body)
        execute(local.connection, "INSERT INTO floor_delivery VALUES (%s, %s, %s)", row)
        start_response("202 Accepted", [("Content-Length", "0")])
        return [b""]

    return application
