"""Deadlines of request bodies."""

import socket
import threading
from collections.abc import Iterator

import pytest

from linkadmin.web.server import DeadlineBody


@pytest.fixture
def line() -> Iterator[socket.socket]:
    """A connection over which nothing arrives."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours


def test_deadline_holds_after_a_thread_could_not_start(line: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with line.makefile("rb") as source:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError):
                DeadlineBody(source, line, 30).read(1)

        with pytest.raises(TimeoutError, match=r"^$"):  # ours, not the socket's
            DeadlineBody(source, line, 0.1).read(1)
