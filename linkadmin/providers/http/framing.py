"""What comes in over a line: a head of bounded size, one length, and a body that is whole and no bomb."""

import http.client
import io
import re
import socket
import zlib
from email.message import Message
from typing import Any

import requests

MAX_BODY = 1024 * 1024  # bytes, decoded
MAX_HEAD = 64 * 1024  # bytes of status lines and headers, those of interim answers included
_MAX_TRAVELLED = 4 * MAX_BODY  # with what frames a body: a chunk of one byte weighs six
_CHUNK = 16 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_INTERIM = frozenset({102, 103})  # 100 is skipped by the standard library
_LENGTH = re.compile(r"[0-9]{1,18}")


class TooLong(Exception):
    """More came than is read."""


class Response(http.client.HTTPResponse):
    """An answer whose head is short, and whose length is told in one way or in none."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._measured = _Measured(self.fp.detach(), MAX_HEAD)
        self.fp = io.BufferedReader(self._measured)

    def begin(self) -> None:
        """Read the head. Raises TooLong, OSError or HTTPException."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment] # makes it begin again
            super().begin()
        # The standard library takes the end of the stream for the end of the headers.
        if self._measured.has_ended:
            raise http.client.IncompleteRead(b"")
        _check_length(self.headers)
        self._measured.left = _MAX_TRAVELLED


class _Measured(io.RawIOBase):
    """A stream that gives only so many bytes: a header, a chunk's size or a trailer may have no end."""

    def __init__(self, stream: io.RawIOBase, left: int) -> None:
        self._stream = stream
        self.left = left
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        octets = self._stream.readinto(buffer)
        self.has_ended = octets == 0
        self.left -= octets or 0
        if self.left < 0:
            raise TooLong
        return octets

    def close(self) -> None:
        self._stream.close()
        super().close()


def read_body(response: requests.Response) -> bytes:
    """Read a body as it travelled. Raises TooLong, or whatever the connection breaks with."""
    if int(response.headers.get("Content-Length", 0)) > MAX_BODY:
        raise TooLong
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLong
    return bytes(body)


def decoded(body: bytes, encoding: str) -> bytes:
    """Undo the compression of a server that compresses unasked. Raises ValueError for any other, or half a one."""
    if not body or encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise ValueError("an encoding that was not asked for")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error:
        plain = b""
    if len(plain) > MAX_BODY:
        raise TooLong
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("a compressed body that is not whole")
    return plain


def _check_length(headers: Message) -> None:
    lengths, codings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    is_plain = all(map(_LENGTH.fullmatch, lengths)) and all(coding.lower() == "chunked" for coding in codings)
    if len(lengths) + len(codings) > 1 or not is_plain:
        raise http.client.HTTPException("the length is told in doubtful ways")
