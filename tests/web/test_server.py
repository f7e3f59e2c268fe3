"""Deadlines of request bodies, and a log without secret paths."""

import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from linkadmin.logs import SecretPaths
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


@pytest.mark.parametrize("path", [f"/repair/{'a' * 43}/", f"/webhooks/belvo/{'b' * 43}/"])
def test_log_of_the_web_server_has_no_secret_path(path: str) -> None:
    record = logging.LogRecord("gunicorn.error", logging.DEBUG, "", 0, "%s %s", ("POST", path), None)

    assert SecretPaths().filter(record)

    assert record.getMessage() == f"POST {path[: path.rindex('/', 0, -1)]}/…/"
