"""Request bodies that arrive slowly or never don't occupy a server thread beyond the deadline."""

import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from tests.webhooks.webhook_sender import AUTHORIZATION, belvo_webhook

from .stack import Stack

pytestmark = pytest.mark.processes

THREADS = 16  # two web processes with eight threads each
UNKNOWN = "/webhooks/belvo/0123456789abcdef0123456789abcdef/"
GIVE_UP_SECONDS = 90  # how long a client drips; a server without a deadline never responds before


def begin(stack: Stack, path: str, *headers: str) -> socket.socket:
    """Send the head of a POST without its body."""
    url = urlsplit(stack.url)
    line = socket.create_connection((str(url.hostname), url.port or 80), timeout=60)
    given = ("Host: localhost", f"Authorization: {AUTHORIZATION}", *headers)
    line.sendall("\r\n".join([f"POST {path} HTTP/1.1", *given, "", ""]).encode())
    return line


def status_of(line: socket.socket) -> int:
    answer = line.recv(4096)
    return int(answer.split()[1]) if answer else 0


def drip(stack: Stack, path: str, *headers: str, piece: bytes = b"x") -> int:
    """Send one byte at a time until there is a response. Returns its status, 0 if the connection was just closed."""
    with begin(stack, path, *headers) as line:
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            if select.select([line], [], [], 0.2)[0]:
                return status_of(line)
            line.sendall(piece)
    raise AssertionError("nobody answered")


def test_unknown_address_is_answered_before_any_byte_of_a_body(stack: Stack) -> None:
    with begin(stack, UNKNOWN, "Content-Length: 60000") as line:
        assert status_of(line) == 401


@pytest.mark.parametrize(
    ("to", "headers", "piece", "status"),
    [
        ("webhook", ("Content-Length: 60000",), b"x", 408),
        ("webhook", ("Transfer-Encoding: chunked",), b"1\r\nx\r\n", 408),
        ("/accounts/login/", ("Content-Length: 60000", "Content-Type: application/x-www-form-urlencoded"), b"x", 403),
    ],
)
def test_bodies_that_drip_hold_no_thread(
    stack: Stack, webhook_path: str, to: str, headers: tuple[str, ...], piece: bytes, status: int
) -> None:
    address = webhook_path if to == "webhook" else to
    with ThreadPoolExecutor(2 * THREADS) as strangers:
        drips = [strangers.submit(drip, stack, address, *headers, piece=piece) for _ in range(2 * THREADS)]
        answers = {each.result() for each in drips}

    assert answers == {status}
    assert requests.get(f"{stack.url}/healthz/", timeout=30).ok


def test_body_that_is_cut_short_is_no_message(stack: Stack, webhook_path: str) -> None:
    body = belvo_webhook()
    with begin(stack, webhook_path, f"Content-Length: {len(body) + 1}") as line:
        line.sendall(body)
        line.shutdown(socket.SHUT_WR)
        assert status_of(line) == 400


def test_body_that_comes_in_time_is_taken_in_pieces_and_in_chunks(stack: Stack, webhook_path: str) -> None:
    body = belvo_webhook()
    with begin(stack, webhook_path, f"Content-Length: {len(body)}") as line:
        for at in range(0, len(body), 100):
            line.sendall(body[at : at + 100])
        assert status_of(line) == 202
    chunked = requests.post(
        stack.url + webhook_path,
        data=iter([body[:50], body[50:]]),
        headers={"Authorization": AUTHORIZATION},
        timeout=30,
    )
    assert chunked.status_code == 202
