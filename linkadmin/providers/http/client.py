"""The only way out to providers: one call, one connection, one deadline, and errors without secrets."""

import base64
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

import requests
import structlog

from linkadmin.providers.errors import Failure, NotSent, OutcomeUnknown, ProviderError
from linkadmin.providers.types import Secret

from .addresses import check_base_url
from .admission import ADDRESS_REFUSED, Admission, AttemptResult, Denial, Rate
from .answer import Answer
from .deadline import DeadlineConnection
from .exchange import CLIENT_HEADERS, exchange, reason_of
from .framing import MAX_BODY, decoded
from .redaction import Redactor
from .retries import Backoff, RetryLoop, RetryPolicy
from .strict_json import parse

# Statuses that mean "no, and nothing changed". After any other one except 2xx, the outcome is unknown.
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 423, 428, 429})

T = TypeVar("T")
JsonValue: TypeAlias = "str | int | Secret | Sequence[JsonValue] | Mapping[str, JsonValue]"
Json: TypeAlias = Mapping[str, JsonValue]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One request: the path with its IDs filled in, and a body that may contain secrets."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Json | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)  # JSON that's signed, and so sent as it is


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """A call and how its responses are read."""

    operation: str
    message: Message
    read: Callable[[Answer], T | ProviderError]
    refuse: Callable[[Answer], ProviderError]
    rate: Callable[[Answer, ProviderError | None], Rate | None]


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[T]):
    """The result of one attempt."""

    outcome: T | ProviderError
    result: AttemptResult


class HttpClient:
    """Calls one provider with one integration's keys."""

    def __init__(
        self,
        base_url: str,
        *,
        allowed_hosts: Collection[str],
        allow_loopback: bool = False,
        headers: Mapping[str, Secret] | None = None,
        auth: tuple[Secret, Secret] | None = None,
        keys: Collection[Secret] = (),
        admission: Admission,
        backoff: Backoff | None = None,
        largest: int = MAX_BODY,
    ) -> None:
        """`headers` or `auth` carry the keys; no response may echo `keys`. `largest`: bytes of a body."""
        self._base_url = base_url.rstrip("/")
        self._allowed_hosts = allowed_hosts
        self._allow_loopback = allow_loopback
        self._headers = dict(headers or {})
        self._auth = auth
        self._keys = keys
        self._admission = admission
        self._largest = largest
        self._backoff = backoff or Backoff(base=0.0, cap=0.0)

    def call(
        self,
        operation: str,
        message: Message,
        *,
        deadline: float,
        read: Callable[[Answer], T | ProviderError],
        refuse: Callable[[Answer], ProviderError],
        rate: Callable[[Answer, ProviderError | None], Rate | None],
        policy: RetryPolicy,
    ) -> T:
        """Send a message, with retries as `policy` allows; `deadline` in seconds for everything.

        `read` turns a 2xx response into a result, or into an error if it contains a rejection or asks for a code; it
        raises ValueError if it finds neither. `refuse` turns any other response into the error to raise. `rate` reads
        the rate limit that a response reports. Raises NotSent only if nothing left this process.
        """
        outcome = self._attempts(_Call(operation, message, read, refuse, rate), deadline, policy)
        # Raised here, where no frame has a body, and outside of except blocks, so that no other error is attached.
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def _attempts(self, call: _Call[T], deadline: float, policy: RetryPolicy) -> T | ProviderError:
        started = time.monotonic()
        denial = None if self._has_good_address() else Denial(ADDRESS_REFUSED)
        permit = denial or self._admission.admit(call.operation.rpartition(".")[2], seconds=deadline)
        if isinstance(permit, Denial):
            failure = Failure(call.operation, reason=permit.reason, retry_after=permit.retry_after)
            _record(call.operation, None, not_sent := NotSent(failure), started)
            return not_sent
        # Not from `started`: the wait for a permit isn't part of the call.
        retries = RetryLoop(policy, self._backoff, time.monotonic() + deadline)
        last = self._attempt(call, retries.seconds)
        while (wait := retries.wait_after(last.result.error)) is not None:
            permit.record(last.result)
            self._backoff.sleep(wait)
            if not permit.may_retry():
                permit.release(None)
                return last.outcome
            last = self._attempt(call, retries.seconds)
        permit.release(last.result)
        return last.outcome

    def _attempt(self, call: _Call[T], seconds: float) -> _Attempt[T]:
        started = time.monotonic()
        connection = DeadlineConnection(seconds=seconds, allow_loopback=self._allow_loopback)
        answer, reason = None, ""
        try:
            with connection:
                answer = self._exchange(connection, call.message)
        except Exception as error:  # noqa: BLE001 - callers only get our errors
            reason = reason_of(error, connection)
        if answer is None:
            failure = Failure(operation=call.operation, reason=reason)
            outcome: T | ProviderError = OutcomeUnknown(failure) if connection.connected else NotSent(failure)
        else:
            outcome = _judge(call, answer)
        _record(call.operation, answer, outcome, started)
        failed = outcome if isinstance(outcome, ProviderError) else None
        return _Attempt(outcome, AttemptResult(failed, _rate_of(call, answer, failed)))

    def _has_good_address(self) -> bool:
        try:
            check_base_url(self._base_url, self._allowed_hosts, self._allow_loopback)
        except ValueError:
            return False
        return True

    def _exchange(self, connection: DeadlineConnection, message: Message) -> Answer:
        started = time.monotonic()
        body = message.body if message.json is None else json.dumps(_revealed(message.json)).encode()
        request = requests.Request(
            message.method,
            self._base_url + message.path,
            params=dict(message.params),
            headers={**message.headers, **self._revealed_headers(has_body=body is not None)},
            data=body,
        ).prepare()
        # Unchanged: `requests` decodes an encoded dot, so that the segment would lead elsewhere.
        request.url = self._base_url + message.path + (f"?{urlencode(message.params)}" if message.params else "")
        response = exchange(connection, request, largest=self._largest)
        read = _parsed(response.body, response.headers.get("content-encoding", ""))
        redactor = Redactor((*self._keys, *_secrets_in(message.json)))
        return Answer(
            status=response.status,
            headers=response.headers,
            data=read.data,
            readable=read.readable,
            duration_ms=_milliseconds_since(started),
            received_at=datetime.now(UTC),
            body=read.kind,
            redactor=redactor.for_answer(" ".join((read.texts, *response.headers.values()))),
        )

    def _revealed_headers(self, *, has_body: bool) -> dict[str, str]:
        headers = {name: secret.reveal() for name, secret in self._headers.items()}
        headers |= {
            "Accept": "application/json",
            **CLIENT_HEADERS,
        }
        if has_body:
            headers["Content-Type"] = "application/json"
        if self._auth:
            pair = ":".join(secret.reveal() for secret in self._auth)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return headers


def _revealed(value: object) -> object:
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


@dataclass(frozen=True, slots=True)
class _Body:
    """A body as parsed; `kind` says what it is if it isn't JSON, and `texts` has all its texts in one."""

    data: object = field(default=None, repr=False)
    readable: bool = True
    kind: str = ""
    texts: str = field(default="", repr=False)


def _parsed(body: bytes, encoding: str) -> _Body:
    plain = b""
    try:
        plain = decoded(body, encoding.strip().lower())
        if not plain.strip():
            return _Body(kind="empty")
        data, texts = parse(plain), plain.decode()
    except ValueError:
        return _Body(readable=False, kind="html" if plain.lstrip().startswith(b"<") else "unreadable")
    # With escapes, texts don't appear in the body as they are.
    return _Body(data, texts=json.dumps(data, ensure_ascii=False) if "\\" in texts else texts)


def _judge(call: _Call[T], answer: Answer) -> T | ProviderError:
    lost = Failure(call.operation, answer.status, request_id=answer.request_id, body=answer.body, reason="unreadable")
    try:
        if 200 <= answer.status < 300:
            return call.read(answer) if answer.readable else OutcomeUnknown(lost)
        error = call.refuse(answer)
    except Exception:  # noqa: BLE001 - untrusted data: the call was made, so its outcome is unknown
        return OutcomeUnknown(lost)
    if answer.status not in REFUSALS and not error.outcome_unknown:
        return OutcomeUnknown(error.failure, error.observation)
    return error


def _rate_of(call: _Call[T], answer: Answer | None, error: ProviderError | None) -> Rate | None:
    try:
        return call.rate(answer, error) if answer else None
    except Exception:  # noqa: BLE001 - a malformed header must not cost us the response
        return None


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
