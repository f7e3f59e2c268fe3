"""One connection per call: to a checked address, and closed at its deadline, whatever the server does."""

import socket
import ssl
import threading
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from .addresses import resolve
from .framing import Response

CONNECT_SECONDS = 3.0


class DeadlineConnection:
    """Enforces the deadline of one connection.

    Socket timeouts are per read, so a server that sends single bytes could hold a call forever. A watchdog closes the
    connection at the deadline in any phase: handshake, headers or body.
    """

    def __init__(self, *, seconds: float, allow_loopback: bool) -> None:
        self.connected = False  # if true, the request may have left
        self.expired = False
        self._allow_loopback = allow_loopback
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._watchdog = threading.Timer(seconds, self._cut)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    @property
    def seconds_left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())

    def open(self, host: str, port: int) -> socket.socket:
        connect_by = time.monotonic() + min(CONNECT_SECONDS, self.seconds_left)
        failure = OSError("the host has no address")
        for family, address in resolve(
            host, port, allow_loopback=self._allow_loopback, timeout=connect_by - time.monotonic()
        ):
            try:
                return self._connect(family, address, port, connect_by)
            except OSError as error:
                failure = error
        raise failure

    def _connect(self, family: socket.AddressFamily, address: str, port: int, connect_by: float) -> socket.socket:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(0.001, connect_by - time.monotonic()))
            connection.connect((address, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(connection)
        except OSError:
            connection.close()
            raise
        return connection

    def _watch(self, connection: socket.socket) -> None:
        # A duplicate, because TLS takes over the original; shutting down either ends both.
        with self._lock:
            self._handle = connection.dup()
        if self.expired:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            if self._handle is not None:
                try:
                    self._handle.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # the server closed it first


class _PooledConnection(HTTPConnection):
    response_class = Response

    def __init__(self, *args: Any, line: DeadlineConnection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line

    def _new_conn(self) -> socket.socket:
        return self._line.open(self.host, self.port)

    def connect(self) -> None:
        super().connect()
        self._line.connected = True


class _PooledTLSConnection(_PooledConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _PooledConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _PooledTLSConnection


class DeadlineAdapter(HTTPAdapter):
    """Makes `requests` use this one connection and no other."""

    def __init__(self, line: DeadlineConnection) -> None:
        super().__init__(max_retries=0)
        self._line = line
        self._pools: list[HTTPConnectionPool] = []

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        parts = urlsplit(request.url or "")
        pool: HTTPConnectionPool
        if parts.scheme == "https":
            pool = _TLSPool(
                str(parts.hostname), parts.port, line=self._line, ssl_minimum_version=ssl.TLSVersion.TLSv1_2
            )
        else:
            pool = _Pool(str(parts.hostname), parts.port, line=self._line)
        self._pools.append(pool)
        return pool

    def close(self) -> None:
        super().close()
        for pool in self._pools:
            pool.close()
