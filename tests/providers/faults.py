"""Ways to misbehave on a connection, and a check of what a call through one of them costs."""

import os
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable, Sized
from dataclasses import dataclass

import pytest

from linkadmin.providers.errors import ProviderError
from linkadmin.providers.types import LinkRef, Secret

from .conftest import Behaviour, Script, belvo_at

LINK_ID = "30cb4806-6e00-48a4-91c9-ca55968576c8"
LINK = LinkRef(LINK_ID, "cust-0001")
GOOD_LINK = {"id": LINK_ID, "institution": "erebor_mx_retail", "status": "valid"}
BUSY_SECONDS = 60  # allowed beyond the deadline for a busy machine; a call without a deadline would hang forever
MAX_GROWTH = 16 * 1024 * 1024  # bytes


class Deaf(Script):
    """Responds without reading the request."""

    def _answer(self, connection: socket.socket) -> None:
        try:
            self.behaviours[0](connection)
        except OSError:
            return  # the client closed the connection


@dataclass(frozen=True)
class Ending:
    error: ProviderError
    seconds: float
    growth: int  # peak, in bytes


def change(url: str, *, seconds: float) -> None:
    """Send a change with secrets, like a customer's new password."""
    values = {"password": Secret("canary-pässword"), "token": Secret("canary-token")}
    belvo_at(url, credentials=seconds).update_credentials(LINK, values)


def suffer(call: Callable[[], object], *, within: float) -> Ending:
    """Make a call that must fail; check that it ends in time, uses bounded memory and leaves nothing behind.

    Memory is what Python allocates. The process size would include what earlier tests returned to the allocator, and
    what the kernel keeps.
    """
    before = _left_open()
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(ProviderError) as caught:
            call()
        seconds, growth = time.monotonic() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds < within + BUSY_SECONDS
    assert growth <= MAX_GROWTH
    assert _comes_back_to(before)
    return Ending(caught.value, seconds, growth)


def suffer_until_received(url: str, received: Sized) -> Ending:
    """Send a change that is received but never answered completely; raise the deadline until it's received in time."""
    for seconds in (1.0, 4.0, 16.0, 64.0):
        ending = suffer(lambda seconds=seconds: change(url, seconds=seconds), within=seconds)  # type: ignore[misc]
        if received:
            return ending
    raise AssertionError("the provider got nothing")


def _left_open() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/dev/fd"))


def _comes_back_to(before: tuple[int, int]) -> bool:
    # The server's side closes a moment later.
    deadline = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < deadline:
        if all(now <= then for now, then in zip(_left_open(), before, strict=True)):
            return True
        time.sleep(0.005)
    return False


def endless(octets: bytes, again: bytes) -> Behaviour:
    """Send one thing, then repeat another until the client closes."""
    block = again * max(1, 16_384 // len(again))

    def behave(connection: socket.socket) -> None:
        connection.settimeout(0.5)  # we may never notice that the client closed without reading
        connection.sendall(octets)
        while True:
            connection.sendall(block)

    return behave


def drip(octets: bytes, again: bytes) -> Behaviour:
    """Send one thing, then repeat another byte by byte with pauses, until the client closes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        while True:
            for octet in again:
                connection.sendall(bytes([octet]))
                time.sleep(0.01)

    return behave


def stall(octets: bytes = b"") -> Behaviour:
    """Send something, then nothing until the client closes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        while connection.recv(4096):
            pass

    return behave


def reset(octets: bytes = b"") -> Behaviour:
    """Send something, then reset the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(octets)
        if octets:
            time.sleep(0.05)  # a reset discards unread data
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave
