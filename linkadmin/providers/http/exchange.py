"""One request and its response over one connection, and the reason if there is none."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import requests
import urllib3

from .addresses import AddressBlocked
from .admission import ADDRESS_REFUSED
from .deadline import CONNECT_SECONDS, DeadlineAdapter, DeadlineConnection
from .framing import MAX_BODY, TooLong, read_body

VERSION = "0.1.0"
CLIENT_HEADERS = {
    "User-Agent": f"linkadmin/{VERSION}",
    "Accept-Encoding": "identity",
    # One connection per call: a reused one may close during a change, and we wouldn't know the outcome.
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Received:
    """A response as it arrived."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # lowercase names
    body: bytes = field(repr=False)


def exchange(connection: DeadlineConnection, request: requests.PreparedRequest, *, largest: int = MAX_BODY) -> Received:
    """Raises many errors, some of which contain the request; `reason_of` says which it was."""
    # No session: it would read the whole body of a redirect it doesn't follow.
    with closing(DeadlineAdapter(connection)) as adapter:
        seconds = connection.seconds_left
        timeout = (min(CONNECT_SECONDS, seconds), seconds)
        with adapter.send(request, stream=True, verify=True, timeout=timeout) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            received = Received(response.status_code, headers, read_body(response, largest))
    if connection.expired:
        raise TimeoutError("the deadline passed")
    return received


# The first match for any error in the chain.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (TooLong, "oversized"),
    (AddressBlocked, ADDRESS_REFUSED),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "not_connected"),
    (ConnectionError, "reset"),
    (http.client.IncompleteRead, "cut"),
    (http.client.HTTPException, "unreadable"),
    (urllib3.exceptions.DecodeError, "unreadable"),
)


def reason_of(error: BaseException, connection: DeadlineConnection) -> str:
    if connection.expired:
        return "timeout"
    chain = list(_chain(error))
    found = (reason for kind, reason in _REASONS if any(isinstance(cause, kind) for cause in chain))
    return next(found, "broken" if connection.connected else "not_connected")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
