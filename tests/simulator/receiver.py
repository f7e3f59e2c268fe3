"""A webhook receiver on a real socket. It stores what it receives and responds as configured."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Got:
    path: str
    headers: Mapping[str, str]  # names in lower case
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_POST(self) -> None:
        receiver = self.server.receiver
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.got.append(Got(self.path, {name.lower(): text for name, text in self.headers.items()}, raw))
        receiver.open.wait(60)
        self.send_response(receiver.answers.popleft() if receiver.answers else receiver.usual)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    receiver: "Receiver"


class Receiver:
    """Sends `answers` first, then the default one. Holds all responses back until it's `open`."""

    def __init__(self, port: int = 0) -> None:
        self.got: list[Got] = []
        self.answers: deque[int] = deque()
        self.usual = 200
        self.open = threading.Event()
        self.open.set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def url(self, path: str = "/hooks/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
