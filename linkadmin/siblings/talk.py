"""One question and one answer between two processes, each proven by the secret that both know.

Not `multiprocessing.connection`: its proof is made with MD5, it unpickles, and it waits for ever for one that hangs.
"""

import hmac
import secrets
import socket
import time

from django.conf import settings
from django.utils.crypto import salted_hmac

LONGEST = 8 * 1024 * 1024  # bytes; a provider's answer is one, and more as JSON of ours
_NONCE = _PROOF = 32  # bytes
_LENGTH = 4  # bytes


class NotASibling(Exception):
    """Whoever is at the other end does not know our secret, or does not speak as we do."""


class Talk:
    """A talk over a line, until a moment of the monotonic clock.

    Both begin with a nonce, so a message proves its sender and that it belongs here: one overheard is worth nothing.
    Every call raises OSError when the line breaks or the time is over.
    """

    def __init__(self, line: socket.socket, deadline: float, *, asks: bool) -> None:
        self._line, self._deadline = line, deadline
        mine = secrets.token_bytes(_NONCE)
        self._send(mine)
        theirs = self._read(_NONCE)
        self._nonces = mine + theirs if asks else theirs + mine
        self._says, self._hears = (b"question", b"answer") if asks else (b"answer", b"question")

    def say(self, text: bytes) -> None:
        self._send(len(text).to_bytes(_LENGTH, "big") + self._proof(self._says, text) + text)

    def hear(self) -> bytes:
        """Return what the other says. Raises `NotASibling` if that is not proven."""
        length = int.from_bytes(self._read(_LENGTH), "big")
        if length > LONGEST:
            raise NotASibling
        proof, text = self._read(_PROOF), self._read(length)
        if not hmac.compare_digest(proof, self._proof(self._hears, text)):
            raise NotASibling
        return text

    def _proof(self, role: bytes, text: bytes) -> bytes:
        return hmac.digest(_key(), role + self._nonces + text, "sha256")

    def _send(self, octets: bytes) -> None:
        self._line.settimeout(self._left())
        self._line.sendall(octets)

    def _read(self, count: int) -> bytes:
        read = bytearray()
        while len(read) < count:
            self._line.settimeout(self._left())
            octets = self._line.recv(count - len(read))
            if not octets:
                raise ConnectionResetError
            read += octets
        return bytes(read)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _key() -> bytes:
    return salted_hmac("linkadmin.siblings", "talk", secret=settings.SECRET_KEY, algorithm="sha256").digest()
