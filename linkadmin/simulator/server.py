"""The HTTP server: one port for all providers and the Simulator guide. It listens on the loopback interface only."""

import socket
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from . import control_api, life
from .clock import Clock, LeadClock
from .deliveries import Delivery
from .gateway import Gateway
from .generated import EMPTY, Population
from .journal import Call, Journal
from .pages import site
from .pages.hosted import site as hosted_site
from .plaid import api as plaid
from .settings import DEFAULTS, SimulatorSettings
from .state_file import load
from .store import Store
from .ticker import Ticker, catch_up
from .wire import ConnectionCut, Refused, Reply, Request

HOST = "127.0.0.1"
LARGEST_BODY = 1 << 20  # bytes
PREFIXES = ("/api/", *plaid.PREFIXES)  # of calls to a provider
PATIENCE = 1.0  # seconds that open connections get on shutdown
LinkSnapshot = tuple[str, str | None, str | None]  # status, its message, last successful sync (ISO)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise every keep-alive request waits 40 ms
    wbufsize = -1  # head and body leave together
    server: "_Server"

    def _answer(self) -> None:
        try:
            request = self._request()
        except Refused as refused:
            self.close_connection = True
            self._send(refused.answer)
            return
        owner = self.server.owner
        if not request.path.startswith(PREFIXES):
            self._send(
                control_api.respond(owner.gateway, request)
                or hosted_site.respond(owner.gateway, request)
                or site.respond(owner.calls, owner.store, owner.gateway.settings, request)
            )
            return
        try:
            with owner.journal.noted(request) as call:
                answer = owner.gateway.answer(request)
                call.status = answer.status
        except ConnectionCut:
            self.close_connection = True
        else:
            self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _request(self) -> Request:
        url = urlsplit(self.path)
        headers = {name.lower(): text for name, text in self.headers.items()}
        return Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=headers,
            body=self._body(headers),
            origin=f"http://{headers['host']}" if "host" in headers else self.server.owner.url,
            address=self.client_address[0],
            target=url.path,
        )

    def _body(self, headers: dict[str, str]) -> bytes:
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            raise Refused(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        return self.rfile.read(int(length))

    def _send(self, answer: Reply) -> None:
        length = len(answer.payload) if answer.length is None else answer.length
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(length))
        if length != len(answer.payload):
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if answer.drip:
            self._drip(answer)
        else:
            self.wfile.write(answer.payload)
        self.wfile.flush()

    def _drip(self, answer: Reply) -> None:
        for byte in answer.payload:
            self.wfile.flush()
            if self.server.owner.store.stopping.wait(answer.drip):
                self.close_connection = True
                return
            self.wfile.write(bytes((byte,)))

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the calls page is the log, and it masks secrets."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: "Simulator", port: int) -> None:
        self.owner = owner
        self._connections: set[socket.socket] = set()
        self._quiet = threading.Condition()
        super().__init__((HOST, port), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._quiet:
            self._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._quiet:
                self._connections.discard(request)
                self._quiet.notify_all()

    def hang_up(self) -> None:
        with self._quiet:
            for connection in self._connections:
                with suppress(OSError):  # the client closed it first
                    connection.shutdown(socket.SHUT_RDWR)
            self._quiet.wait_for(lambda: not self._connections, PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that disconnected isn't an error; anything else is a bug of ours.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Simulator:
    """The whole simulator: `with Simulator() as simulator: ... simulator.url`."""

    def __init__(
        self,
        port: int = 0,
        state_file: Path | None = None,
        record: bool = False,
        clock: Clock = time.time,
        settings: SimulatorSettings = DEFAULTS,
        population: Population = EMPTY,
    ) -> None:
        self.clock = LeadClock(clock)
        self.store = Store(self.clock)
        self.gateway = Gateway(self.store, settings)
        self.journal = Journal(self.clock, record=record)
        self._port = port
        self._state_file = state_file
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._population = population
        self._ticker = Ticker(self.store, state_file)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def calls(self) -> list[Call]:
        """Requests to the providers, oldest first."""
        return self.journal.calls()

    def fail(self, method: str, path: str, answer: str, times: int = 1) -> None:
        """Give the next matching requests this named response. Raises ValueError for an unknown name."""
        self.gateway.faults.order({"method": method, "path": path, "answer": answer, "times": times})

    def configure(self, settings: SimulatorSettings) -> None:
        self.gateway.configure(settings)

    def drift(self, *, belvo: float = 0, heron: float = 0, seed: int = 0) -> dict[str, list[str]]:
        return life.drift(self.store, belvo=belvo, heron=heron, seed=seed)

    def travel(self, *, hours: float = 24, seed: int = 0, share: float = 0.1, step: float = 1) -> dict[str, Any]:
        return life.travel(self.store, hours=hours, seed=seed, share=share, step=step)

    def snapshot(self) -> dict[str, dict[str, LinkSnapshot]]:
        """Return every link's status, its message and last successful sync, by provider and ID."""
        catch_up(self.store)
        with self.store.lock:
            links, items = self.store.belvo_links.values(), self.store.heron_links.values()
            return {
                "belvo": {each.id: (each.status, None, each.last_accessed_at) for each in links},
                "heron": {
                    each.item_id: (each.status, each.status_message, each.last_successful_sync) for each in items
                },
            }

    def webhooks(self, **settings: str | None) -> None:
        self.store.set_webhooks(**settings)

    @property
    def deliveries(self) -> list[Delivery]:
        """Webhooks sent or waiting, oldest first."""
        return self.store.deliveries.all()

    def delivered(self, within: float = 60.0) -> bool:
        return self.store.deliveries.wait_until_sent(within)

    def peak(self) -> dict[str, int]:
        return self.gateway.limits.counts()["peak"]

    def refused(self) -> dict[str, int]:
        return self.gateway.limits.counts()["refused"]

    def start(self) -> Self:
        """Load the state and serve in the background. Raises OSError for a taken port, StateFileError."""
        if self._state_file and self._state_file.exists():
            load(self.store, self._state_file, self._population)
        else:
            self.store.generate(self._population)
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="simulator", daemon=True
        )
        self._thread.start()
        self._ticker.start()
        return self

    def stop(self) -> None:
        """Stop within about a second: running requests are cut without effect, the state file is written."""
        self.store.stopping.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()
            self._ticker.stop()
        self.store.deliveries.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
