"""Limits on responses: bounded headers, one length, and a complete body that isn't a compression bomb."""

import http.client
import io
import re
import socket
import zlib
from email.message import Message
from typing import Any

import requests

MAX_BODY = 1024 * 1024  # bytes, decoded
MAX_HEAD = 64 * 1024  # bytes of status lines and headers, including interim responses
_MAX_TRAVELLED = 4 * MAX_BODY  # including chunk framing: a chunk of one byte takes six
_CHUNK = 16 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_INTERIM = frozenset({102, 103})  # 100 is skipped by the standard library
_LENGTH = re.compile(r"[0-9]{1,18}")


class TooLong(Exception):
    """The response is larger than our limits."""


class Response(http.client.HTTPResponse):
    """A response with bounded headers and at most one declared length."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._measured = _Measured(self.fp.detach(), MAX_HEAD)
        self.fp = io.BufferedReader(self._measured)

    def begin(self) -> None:
        """Raises TooLong, OSError or HTTPException."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment] # makes it start over
            super().begin()
        # The standard library accepts the end of the stream as the end of the headers.
        if self._measured.has_ended:
            raise http.client.IncompleteRead(b"")
        _check_length(self.headers)
        self._measured.left = _MAX_TRAVELLED


class _Measured(io.RawIOBase):
    """A stream with a byte limit: a header, chunk size or trailer may never end."""

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


def read_body(response: requests.Response, largest: int) -> bytes:
    if int(response.headers.get("Content-Length", 0)) > largest:
        raise TooLong
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > largest:
            raise TooLong
    return bytes(body)


def decoded(body: bytes, encoding: str) -> bytes:
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
        raise http.client.HTTPException("conflicting or invalid length headers")
