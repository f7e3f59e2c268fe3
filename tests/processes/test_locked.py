"""A database locked by another program: pages say so, and nothing is sent to the provider."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from .browser import forms_of
from .stack import Stack

pytestmark = pytest.mark.processes

HOLD = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(flush=True); input()"


@contextmanager
def held_by_another_program(stack: Stack) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD, str(stack.data / "linkadmin.sqlite3")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()  # the lock is held
        try:
            yield
        finally:
            program.communicate(b"\n", timeout=20)


def test_locked_database_shows_an_error_and_sends_nothing(stack: Stack) -> None:
    link, (ana, ben, mia) = stack.link(), [stack.browser(name) for name in ("ana", "ben", "mia")]
    form = ana.open(f"{link.page}credentials/", having="password")
    leave = next(form for form in forms_of(mia.get("/").text) if "logout" in form.action)
    leave.action = stack.url + leave.action

    with held_by_another_program(stack), ThreadPoolExecutor(4) as threads:
        sent = threads.submit(ana.send, form, password="pass_valid")
        shown = threads.submit(ben.get, link.page)
        left = threads.submit(mia.send, leave)
        opened = [threads.submit(ben.get, page).result().status_code for page in ("/", "/links/", "/healthz/")]
        sent, shown, left = sent.result(), shown.result(), left.result()

    assert (sent.status_code, shown.status_code, left.status_code) == (503, 503, 200)
    assert "nothing was sent" in sent.text
    assert "record that this page was opened" in shown.text
    assert "signed out in this browser" in left.text
    assert opened == [200, 200, 200]
    assert stack.calls("PUT", f"/api/links/{link.remote_id}") == []
    assert ana.send(form, password="pass_valid").status_code == 200  # the same form, after the lock is released
    assert len(stack.calls("PUT", f"/api/links/{link.remote_id}")) == 1
