"""Ends a connection at its deadline, in any phase: handshake, headers or body.

Socket timeouts are per read, so a server that sends single bytes could hold a call forever.
"""

import socket
import threading
import time
from types import TracebackType
from typing import Self


class Watchdog:
    """Enforces the deadline of one connection."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    @property
    def seconds_left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
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
