"""A relay between a client and Prism: requests one of Prism's examples, and records violations of the document."""

import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from .tools import HOST

SECONDS = 20  # seconds per call
PROBLEM = "application/problem+json"  # Prism's response if the document has none
PASSED_BACK = ("content-type", "retry-after", "x-request-id", "x-ratelimit-reset")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call, and its violation of the document, if any."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any  # parsed JSON; None without a body
    status: int
    violation: str


class Relay:
    """`with Relay(upstream) as relay: ... relay.url`; what is in `headers` goes with every call."""

    def __init__(self, upstream: str) -> None:
        self.headers: dict[str, str] = {}
        self.exchanges: list[Exchange] = []
        self._upstream = upstream.removeprefix("http://")
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def violations(self) -> list[str]:
        return [f"{seen.method} {seen.path}: {seen.violation}" for seen in self.exchanges if seen.violation]

    def pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send the same call upstream; return status, headers and body of the response."""
        kept = {name: text for name, text in request.headers.items() if name.lower() != "host"}
        connection = http.client.HTTPConnection(self._upstream, timeout=SECONDS)
        try:
            connection.request(request.command, request.path, body or None, {**kept, **self.headers})
            answer = connection.getresponse()
            status, payload = answer.status, answer.read()
            headers = {name.lower(): text for name, text in answer.getheaders()}
        finally:
            connection.close()
        self.exchanges.append(_exchange(request, body, status, _violation(headers, payload)))
        return status, {name: headers[name] for name in PASSED_BACK if name in headers}, payload

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        status, headers, payload = self.server.relay.pass_on(self, body)
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the exchanges are the log."""


class _Server(ThreadingHTTPServer):
    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        super().__init__((HOST, 0), _Handler)


def _exchange(request: BaseHTTPRequestHandler, body: bytes, status: int, violation: str) -> Exchange:
    url = urlsplit(request.path)
    return Exchange(
        method=request.command,
        path=url.path,
        query=dict(parse_qsl(url.query)),
        body=json.loads(body) if body else None,
        status=status,
        violation=violation,
    )


def _violation(headers: Mapping[str, str], payload: bytes) -> str:
    if said := headers.get("sl-violations"):
        return said
    return payload.decode(errors="replace") if headers.get("content-type", "").startswith(PROBLEM) else ""
