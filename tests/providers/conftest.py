"""A server with scripted responses on a real socket, and providers that call it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.http.admission import AttemptResult, Denial, Permit
from linkadmin.providers.types import Deadlines, Secret

Behaviour = Callable[[socket.socket], None]


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class RecordingAdmission:
    """Admits what a test says, and stores the results."""

    retries: int = 99
    denial: Denial | None = None
    attempts: int = 0
    results: list[AttemptResult] = field(default_factory=list)

    def admit(self, call: str, *, seconds: float) -> Permit | Denial:
        self.attempts += 1
        return self.denial or self

    def record(self, result: AttemptResult) -> None:
        self.results.append(result)

    def may_retry(self) -> bool:
        self.retries -= 1
        self.attempts += self.retries >= 0
        return self.retries >= 0

    def release(self, result: AttemptResult | None) -> None:
        self.results += [result] if result else []


@dataclass
class Script:
    """Answers each connection with the next behavior; the last one repeats."""

    behaviours: list[Behaviour]
    received: list[Received] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        try:
            self.received.append(read_request(connection))
            behaviour(connection)
        except (OSError, ValueError):
            return  # the client closed the connection


def read_request(connection: socket.socket) -> Received:
    with connection.makefile("rb") as stream:
        method, path, _ = stream.readline().decode().split(" ")
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = stream.read(int(headers.get("content-length", 0)))
    return Received(method, path, headers, json.loads(body) if body else None)


def reply(status: int, body: object = None, **headers: str) -> Behaviour:
    """Respond with a status and a body: bytes as is, anything else as JSON."""
    payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(payload)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send("\r\n".join([*lines, "", ""]).encode() + payload)


def send(octets: bytes) -> Behaviour:
    """Send these bytes and close."""
    return lambda connection: connection.sendall(octets)


@pytest.fixture
def serve() -> Iterator[Callable[..., Script]]:
    scripts: list[Script] = []

    def start(*behaviours: Behaviour) -> Script:
        scripts.append(Script(list(behaviours)))
        return scripts[-1]

    yield start
    for script in scripts:
        script.stop()


def belvo_at(url: str, **deadlines: float) -> Provider:
    return provider_class("belvo")(
        base_url=url,
        options={},
        secrets={"secret_id": Secret("our-secret-id"), "secret_password": Secret("our-secret-password")},
        admission=RecordingAdmission(retries=0),
        deadlines=Deadlines(**deadlines),
        allow_loopback=True,
    )


def heron_at(url: str, **deadlines: float) -> Provider:
    return provider_class("heron")(
        base_url=url,
        options={"integration_id": "itg_Ws3nQ7hVb2kLx9TzPm4aYd"},
        secrets={"api_key": Secret("key_0123456789abcdef")},
        admission=RecordingAdmission(retries=0),
        deadlines=Deadlines(**deadlines),
        allow_loopback=True,
    )
