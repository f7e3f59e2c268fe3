"""A provider that repeats everything it receives, including keys, wherever a response has room for text."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
CREATED_ID = "echo-link-{}"


class Manner(StrEnum):
    """The echo server's response to a change."""

    ACCEPT = auto()
    REFUSE = auto()
    REFUSE_ODDLY = auto()  # error codes and field names repeat what was typed
    ASK = auto()  # asks for a code, with values for the one page that may show them
    ASK_ECHOING = auto()  # asks for a code, repeating what was typed
    FAIL = auto()
    REDIRECT = auto()
    GARBLE = auto()
    BREAK_HEADER = auto()
    CUT = auto()
    LOSE = auto()
    HOLD = auto()  # until the test releases the echo server


@dataclass(frozen=True, slots=True)
class Shown:
    """Other values in the echo server's responses: with a challenge, and with a repair URL."""

    session: str
    number: str
    instructions: str
    access: str
    refresh: str


class EchoServer(ThreadingHTTPServer):
    """`with serving(shown) as echo_server: echo_server.manner = Manner.REFUSE`."""

    daemon_threads = True

    def __init__(self, shown: Shown) -> None:
        super().__init__((HOST, 0), _Handler)
        self.shown = shown
        self.manner = Manner.ACCEPT
        self.refuses_keys = False
        self.heard: list[str] = []
        self.let_go = threading.Event()
        self.url = f"http://{HOST}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore aborted connections, which these tests cause."""


@contextmanager
def serving(shown: Shown) -> Iterator[EchoServer]:
    with EchoServer(shown) as echo_server:
        thread = threading.Thread(target=echo_server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield echo_server
        finally:
            echo_server.let_go.set()
            echo_server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EchoServer

    def do_GET(self) -> None:
        """Answer reads normally, so that workers process every link as well."""
        heard = self._hear()
        if self.server.refuses_keys:
            self._send(401, {"detail": heard, "description": heard, "name": heard})
        elif "/api/links/" in self.path:
            self._send(200, _belvo_link(self.path.rstrip("/").rsplit("/", 1)[1], heard))
        else:
            self._send(200, {"count": 1, "results": [], "links": [], "hello": heard})

    def do_POST(self) -> None:
        heard = self._hear()
        self.server.heard.append(heard)
        getattr(self, f"_{self.server.manner}")(heard)

    do_PUT = do_PATCH = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _hear(self) -> str:
        """All received data: keys, body, and each value on its own."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
        keys = [self.headers.get("x-api-key", ""), base64.b64decode(pair).decode() if scheme == "Basic" else ""]
        self._body: Mapping[str, Any] = json.loads(body) if body else {}
        self._values = list(_texts(self._body))
        return " ".join([*keys, *self._values, body.decode()])

    def _accept(self, heard: str) -> None:
        if "item_id" in self._body:
            link = {"item_id": self._body["item_id"], "status": "active", "status_message": heard, "type": heard}
            return self._send(201, {"link": link | {"data_source_heron_id": heard[:60]}})
        if "/integration_links/" in self.path:
            item_id = self.path.rsplit("/", 1)[1]
            return self._send(200, {"integration_link": {"item_id": item_id, "status": "active", "type": heard}})
        if self.path == "/api/token/":
            return self._send(200, {"access": self.server.shown.access, "refresh": self.server.shown.refresh})
        last = self.path.rstrip("/").rsplit("/", 1)[1]
        known = self._body.get("link") or (last if last != "links" else CREATED_ID.format(len(self.server.heard)))
        return self._send(200, _belvo_link(known, heard))

    def _refuse(self, heard: str) -> None:
        said = f"Invalid credentials provided to login to the institution: {heard}"
        item = {"code": "login_error", "message": said, "field": "password", "request_id": heard[:100]}
        self._send(400, [item], reason=heard)

    def _refuse_oddly(self, heard: str) -> None:
        values = self._values
        items = [{"code": value, "message": value, "field": value, "request_id": value} for value in values]
        whole = {"name": heard, "description": {"json": {value: [value] for value in values}}}
        self._send(422, items if "/api/links/" in self.path else whole)

    def _ask(self, heard: str) -> None:
        shown = self.server.shown
        self._challenge(shown.number, shown.instructions)

    def _ask_echoing(self, heard: str) -> None:
        self._challenge(heard, heard)

    def _challenge(self, value: str, instructions: str) -> None:
        self._send(
            428,
            {
                "code": "token_required",
                "message": "A MFA token is required by the institution to login",
                "session": self.server.shown.session,
                "expiry": 600,
                "link": CREATED_ID.format(len(self.server.heard)),
                "token_generation_data": {"type": "numeric", "value": value, "instructions": instructions},
            },
        )

    def _fail(self, heard: str) -> None:
        self._send(500, [{"code": "unexpected_error", "message": heard, "request_id": heard[:100]}])

    def _redirect(self, heard: str) -> None:
        self._send(302, {}, Location=f"{self.server.url}/{'/'.join(self._values)}?{heard}")

    def _garble(self, heard: str) -> None:
        self._write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(heard.encode())}\r\n\r\n{heard}")

    def _break_header(self, heard: str) -> None:
        self._write(f"HTTP/1.1 200 OK\r\n{heard}\r\n: {heard}\r\n\r\n{heard}")

    def _cut(self, heard: str) -> None:
        self._write(f"HTTP/1.1 400 {heard}\r\nContent-Length: 100000\r\n\r\n{heard}")

    def _lose(self, heard: str) -> None:
        self.close_connection = True

    def _hold(self, heard: str) -> None:
        self.server.let_go.wait(60)
        self._lose(heard)

    def _send(self, status: int, answer: object, reason: str = "Said", **headers: str) -> None:
        payload = json.dumps(answer).encode()
        head = {"Content-Type": "application/json", "Content-Length": str(len(payload)), **headers}
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {text}" for name, text in head.items()), "", ""]
        self._write("\r\n".join(lines) + payload.decode())

    def _write(self, text: str) -> None:
        self.close_connection = True
        self.wfile.write(text.encode())
        self.wfile.flush()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _texts(child)
    else:
        yield str(value)


def _belvo_link(link_id: str, heard: str) -> dict[str, object]:
    """A working link, with the received data in every text field of the contract."""
    texts = dict.fromkeys(("access_mode", "refresh_rate", "external_id", "institution_user_id", "request_id"), heard)
    return {
        **texts,
        "id": link_id,
        "institution": "parrot_mx_fiscal",
        "status": "valid",
        "last_accessed_at": "2026-11-20T08:00:00Z",
        "created_at": "2026-01-02T08:00:00Z",
        "credentials_storage": heard,
    }
