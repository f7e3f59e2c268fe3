"""Settings that gunicorn lacks.

Request bodies have a total deadline. Otherwise one that trickles in would occupy a server thread for as long.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from gunicorn.http.wsgi import Response  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

Read = TypeVar("Read")


def with_deadline(application: "WSGIApplication") -> "WSGIApplication":
    """Reading a body raises TimeoutError after its deadline."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        if line := environ.get("gunicorn.socket"):
            environ["wsgi.input"] = DeadlineBody(environ["wsgi.input"], line, settings.BODY_SECONDS)
        return application(environ, start_response)

    return answer


class DeadlineBody:
    """`wsgi.input` with one deadline for the whole body, from the first read on.

    A socket's timeout applies to each read and restarts with every byte. At the deadline we shut the connection down
    for reading, and the waiting reader gets the end of the stream.
    """

    def __init__(self, source: "InputStream", line: socket.socket, seconds: float) -> None:
        self._source, self._line, self._seconds = source, line, seconds
        self._until: float | None = None
        self._is_late = False

    def read(self, size: int = -1, /) -> bytes:
        return self._in_time(lambda: self._source.read(size))

    def readline(self, size: int = -1, /) -> bytes:
        return self._in_time(lambda: self._source.readline(size))

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        return self._in_time(lambda: self._source.readlines(hint))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _in_time(self, read: Callable[[], Read]) -> Read:
        if self._until is None:
            self._until = time.monotonic() + self._seconds
        try:
            _watch.add(self, self._until)
            found = read()
        except Exception:  # the server's own, for a body that ends early
            if self._is_late:
                raise TimeoutError from None
            raise
        finally:
            _watch.remove(self)
        if self._is_late:
            raise TimeoutError
        return found

    def shut(self) -> None:
        self._is_late = True
        with suppress(OSError):  # the client is already gone
            self._line.shutdown(socket.SHUT_RD)


class _Watch:
    """One thread for the deadlines of all bodies that are being read: starting one for each costs more than a read."""

    def __init__(self) -> None:
        self._reading: dict[DeadlineBody, float] = {}  # and when each is late (monotonic seconds)
        self._change = threading.Condition()
        self._wakes_at = 0.0  # of the thread; 0: there's none

    def add(self, body: DeadlineBody, until: float) -> None:
        with self._change:
            self._reading[body] = until
            if not self._wakes_at:
                threading.Thread(target=self._run, name="body deadlines", daemon=True).start()
                self._wakes_at = until  # only if it could start
            elif until < self._wakes_at:
                self._change.notify()

    def remove(self, body: DeadlineBody) -> None:
        with self._change:
            self._reading.pop(body, None)

    def _run(self) -> None:
        while True:
            with self._change:
                self._wakes_at = min(self._reading.values(), default=0.0)
                if not self._wakes_at:
                    return
                self._change.wait(self._wakes_at - time.monotonic())
                now = time.monotonic()
                late = [body for body, until in self._reading.items() if until <= now]
                for body in late:
                    del self._reading[body]
            for body in late:
                body.shut()


_watch = _Watch()


def hide_server_name() -> None:
    usual = Response.default_headers

    def default_headers(self: Any) -> list[str]:
        return [line for line in usual(self) if not line.startswith("Server:")]

    Response.default_headers = default_headers
