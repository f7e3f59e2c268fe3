"""The last thousand requests, with secrets masked unless the simulator runs with --record."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .clock import Clock
from .wire import Request

LENGTH = 1000  # requests
MASK = "•••"
SECRET_HEADERS = {"authorization", "x-api-key", "cookie"}
SECRET_FIELDS = {
    "password", "password2", "token", "username", "username2", "username3", "username_type", "certificate",
    "private_key", "encryption_key", "session", "access_token", "asset_report_token", "client_id", "client_secret",
    "client_auth", "headers", "id", "secret", "link_token",
}  # fmt: skip
SECRET_PARAMETERS = {"user_document"}


@dataclass(slots=True)
class Call:
    """One request. `status` is None while it runs, and stays None if the connection was cut."""

    at: float  # seconds since 1970
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: Any  # parsed JSON; None without a body
    raw: bytes
    status: int | None = None
    milliseconds: int | None = None  # None while it runs


class Journal:
    """Records each request when it arrives and when it's answered."""

    def __init__(self, clock: Clock, *, record: bool) -> None:
        self._clock = clock
        self._record = record
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=LENGTH)

    @contextmanager
    def noted(self, request: Request) -> Iterator[Call]:
        """Record a request and its duration; the caller fills in the status."""
        began = time.monotonic()
        call = Call(
            at=self._clock(),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=dict(request.headers),
            body=_json(request.body),
            raw=request.body,
        )
        if not self._record:
            call = masked(call)
        with self._lock:
            self._calls.append(call)
        try:
            yield call
        finally:
            call.milliseconds = round((time.monotonic() - began) * 1000)

    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)


def masked(call: Call) -> Call:
    headers = {name: MASK if name in SECRET_HEADERS else text for name, text in call.headers.items()}
    query = {name: MASK if name in SECRET_PARAMETERS else text for name, text in call.query.items()}
    return replace(call, headers=headers, query=query, body=_masked(call.body), raw=b"")


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: MASK if name in SECRET_FIELDS else _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
