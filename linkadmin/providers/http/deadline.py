"""One connection per call: to a checked address, and closed at its deadline, whatever the server does."""

import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from .addresses import resolve
from .framing import Response
from .watchdog import Watchdog

CONNECT_SECONDS = 3.0


class DeadlineConnection(Watchdog):
    """Opens the one connection of a call."""

    def __init__(self, *, seconds: float, allow_loopback: bool) -> None:
        super().__init__(seconds)
        self.connected = False  # if true, the request may have left
        self._allow_loopback = allow_loopback

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
            self.watch(connection)
        except OSError:
            connection.close()
            raise
        return connection


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
