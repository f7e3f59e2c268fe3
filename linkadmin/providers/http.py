"""The only door out to providers: one call, one connection, one deadline, and errors that hold no secret."""

import base64
import http.client
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias, TypeVar
from urllib.parse import quote

import requests
import structlog
import urllib3

from .addresses import AddressRefused, check_base_url
from .errors import Failure, NotSent, OutcomeUnknown, ProviderError
from .line import CONNECT_SECONDS, Line, LineAdapter
from .redaction import MAX_WORDS, WITHHELD, Redactor
from .strict_json import parse
from .types import Secret

VERSION = "0.1.0"
MAX_BODY = 1024 * 1024  # bytes, decoded
MAX_RETRY_AFTER = 900.0  # seconds
_CHUNK = 16 * 1024

# The statuses by which a provider says "no, and nothing was changed". Any other one beside 2xx leaves it open.
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 423, 428, 429})

IDENTIFIER = r"[A-Za-z0-9_.:=-]+"
MAX_IDENTIFIER = 120  # characters

T = TypeVar("T")
JsonValue: TypeAlias = "str | bool | Secret | Sequence[JsonValue] | Mapping[str, JsonValue]"
Json: TypeAlias = Mapping[str, JsonValue]

log = structlog.get_logger(__name__)
# Its warning about a broken header block quotes the block.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Message:
    """One request: the path with its ids filled in, and a body that may hold secrets."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Json | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered, with the means to read it safely."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    data: object = field(repr=False)  # parsed JSON; None if the body is empty or no JSON
    readable: bool
    duration_ms: int
    received_at: datetime
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    def words(self, value: object, *, limit: int = MAX_WORDS) -> str:
        """Return a text of the provider's, cleaned; empty if it is no text."""
        return self.redactor.clean(value, limit=limit) if isinstance(value, str) else ""

    def term(self, value: object, known: Container[str]) -> str:
        """Return a word of the provider's vocabulary. One that we know is no echo, even if a secret equals it."""
        return value if isinstance(value, str) and value in known else self.words(value)

    def identifier(self, value: object, *, longest: int = MAX_IDENTIFIER) -> str:
        """Return an id of the provider's, of at most `longest` characters; empty if it cannot be one."""
        if not isinstance(value, str) or len(value) > longest or not re.fullmatch(IDENTIFIER, value):
            return ""
        return "" if self.words(value) == WITHHELD else value

    @property
    def request_id(self) -> str:
        """The id that the provider's support asks for."""
        first = self.data[0] if isinstance(self.data, list) and self.data else self.data
        from_body = first.get("request_id") if isinstance(first, dict) else None
        return self.identifier(from_body) or self.identifier(self.headers.get("x-request-id"))

    @property
    def retry_after(self) -> float | None:
        """The pause the provider asks for, in seconds."""
        value = self.headers.get("retry-after", "").strip()
        if value.isdecimal():
            return min(float(value[:9]), MAX_RETRY_AFTER)
        try:
            pause = (parsedate_to_datetime(value) - self.received_at).total_seconds()
        except (ValueError, TypeError):
            return None
        return min(max(pause, 0.0), MAX_RETRY_AFTER)


def fill_path(template: str, *parts: str) -> str:
    """Fill ids into a path, each as one segment. Raises ValueError for an id that would lead elsewhere."""
    if any(part in {"", ".", ".."} for part in parts):
        raise ValueError("an id is missing or is no id")
    return template.format(*(quote(part, safe="") for part in parts))


class Door:
    """Calls one provider with one integration's keys."""

    def __init__(
        self,
        base_url: str,
        *,
        allowed_hosts: Collection[str],
        allow_loopback: bool = False,
        headers: Mapping[str, Secret] | None = None,
        auth: tuple[Secret, Secret] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._allowed_hosts = allowed_hosts
        self._allow_loopback = allow_loopback
        self._headers = dict(headers or {})
        self._auth = auth

    def call(
        self,
        operation: str,
        message: Message,
        *,
        deadline: float,
        read: Callable[[Answer], T | ProviderError],
        refuse: Callable[[Answer], ProviderError],
    ) -> T:
        """Send one message, once; `deadline` in seconds for all of it.

        `read` turns a good answer into what the caller wants, or into an error where the provider says no, or asks for
        a code, in one; it raises ValueError if neither is there. `refuse` turns any other answer into the error to
        raise. Raises NotSent only if nothing left this process.
        """
        outcome = self._settle(operation, message, deadline, read, refuse)
        # Raised here, where no frame holds a body, and outside every except block, so that none is attached.
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def _settle(
        self,
        operation: str,
        message: Message,
        deadline: float,
        read: Callable[[Answer], T | ProviderError],
        refuse: Callable[[Answer], ProviderError],
    ) -> T | ProviderError:
        started = time.monotonic()
        line = Line(seconds=deadline, allow_loopback=self._allow_loopback)
        answer, reason = None, ""
        try:
            with line:
                answer = self._exchange(line, message)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller gets one of our errors
            reason = _reason(error, line)
        if answer is None:
            failure = Failure(operation=operation, reason=reason)
            outcome: T | ProviderError = OutcomeUnknown(failure) if line.connected else NotSent(failure)
        else:
            outcome = _judge(operation, answer, read, refuse)
        _record(operation, answer, outcome, started)
        return outcome

    def _exchange(self, line: Line, message: Message) -> Answer:
        check_base_url(self._base_url, self._allowed_hosts, self._allow_loopback)
        started = time.monotonic()
        request = requests.Request(
            message.method,
            self._base_url + message.path,
            params=dict(message.params),
            headers={**message.headers, **self._revealed_headers(has_body=message.json is not None)},
            data=None if message.json is None else json.dumps(_revealed(message.json)).encode(),
        ).prepare()
        with requests.Session() as session:
            session.trust_env = False
            adapter = LineAdapter(line)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            seconds = line.seconds_left
            with session.send(
                request,
                stream=True,
                verify=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
            ) as response:
                body = _read_body(response)
                status, headers = response.status_code, dict(response.headers)
        if line.expired:
            raise TimeoutError("the deadline passed")
        data, readable = _parsed(body)
        return Answer(
            status=status,
            headers={name.lower(): value for name, value in headers.items()},
            data=data,
            readable=readable,
            duration_ms=_milliseconds_since(started),
            received_at=datetime.now(UTC),
            redactor=Redactor(self._secrets(message.json)),
        )

    def _revealed_headers(self, *, has_body: bool) -> dict[str, str]:
        headers = {name: secret.reveal() for name, secret in self._headers.items()}
        headers |= {
            "User-Agent": f"linkadmin/{VERSION}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            # One connection per call: a change sent over a kept one may meet its end and leave us not knowing.
            "Connection": "close",
        }
        if has_body:
            headers["Content-Type"] = "application/json"
        if self._auth:
            pair = ":".join(secret.reveal() for secret in self._auth)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return headers

    def _secrets(self, body: Json | None) -> Iterator[Secret]:
        yield from self._headers.values()
        yield from self._auth or ()
        yield from _secrets_in(body)


def _revealed(value: object) -> object:
    """Return a body as it is sent."""
    if isinstance(value, Mapping):
        return {name: _revealed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(inner) for inner in value]
    return value.reveal() if isinstance(value, Secret) else value


def _secrets_in(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets_in(inner)


def _read_body(response: requests.Response) -> bytes:
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:12]) > MAX_BODY:
        raise _Oversized
    body = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            raise _Oversized
    return bytes(body)


class _Oversized(Exception):
    pass


def _parsed(body: bytes) -> tuple[object, bool]:
    try:
        return (parse(body), True) if body.strip() else (None, True)
    except ValueError:
        return None, False


def _judge(
    operation: str, answer: Answer, read: Callable[[Answer], T | ProviderError], refuse: Callable[[Answer], ProviderError]
) -> T | ProviderError:
    unreadable = Failure(operation, status=answer.status, request_id=answer.request_id, reason="unreadable")
    try:
        if 200 <= answer.status < 300:
            return read(answer) if answer.readable else OutcomeUnknown(unreadable)
        error = refuse(answer)
    except Exception:  # noqa: BLE001 - whatever a stranger sent: the call was made, and its outcome is open
        return OutcomeUnknown(unreadable)
    if answer.status not in REFUSALS and not error.outcome_unknown:
        return OutcomeUnknown(error.failure, error.observation)
    return error


# The first that fits any error in the chain.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (_Oversized, "oversized"),
    (AddressRefused, "address_refused"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (ConnectionError, "reset"),
    (http.client.IncompleteRead, "cut"),
    (http.client.HTTPException, "unreadable"),
    (urllib3.exceptions.DecodeError, "unreadable"),
)


def _reason(error: BaseException, line: Line) -> str:
    if line.expired:
        return "timeout"
    chain = list(_chain(error))
    found = (reason for kind, reason in _REASONS if any(isinstance(cause, kind) for cause in chain))
    return next(found, "broken" if line.connected else "not_connected")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _record(operation: str, answer: Answer | None, outcome: object, started: float) -> None:
    log.info(
        "provider.call",
        operation=operation,
        status=answer.status if answer else 0,
        duration_ms=_milliseconds_since(started),
        request_id=answer.request_id if answer else "",
        error=type(outcome).__name__ if isinstance(outcome, ProviderError) else "",
        reason=outcome.failure.reason if isinstance(outcome, ProviderError) else "",
    )


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
