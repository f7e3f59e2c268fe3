"""Requests and responses between the server and the simulated providers, and their routing."""

import json
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from .store import Store


class ConnectionCut(Exception):
    """Close the connection without a response."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived: from `address`, to `origin`, such as http://127.0.0.1:8800."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    origin: str
    address: str = ""
    target: str = ""  # the path as sent, with an encoded slash still different from one between segments
    args: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. `length` beyond the payload announces bytes that never come; `drip`: seconds between two bytes."""

    status: int
    payload: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    drip: float = 0.0


class Refused(Exception):
    """Stop handling the request and send this response."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers or {})


def as_dict(record: Any, hidden: Container[str] = ()) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__ if name not in hidden}


Later = Callable[[], Reply]
Handler = Callable[["Store", Request], Reply | Later]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with its methods. An open route needs no key.

    The store's lock is held while a handler runs. Slow bank work is returned as a function that is
    called without the lock.
    """

    pattern: str
    methods: Mapping[str, Handler]
    open: bool = False


def find(routes: Sequence[Route], request: Request) -> tuple[Route, Request] | None:
    # Each argument is decoded separately.
    for route in routes:
        if matched := re.fullmatch(route.pattern, request.target):
            args = {name: unquote(part) for name, part in matched.groupdict().items()}
            return route, replace(request, args=args)
    return None


def dispatch(
    store: "Store", request: Request, routes: Sequence[Route], refuse: Callable[[int], Reply], *, has_key: bool
) -> Reply:
    """`refuse` builds the provider's error response. Raises ConnectionCut."""
    found = find(routes, request)
    if not found:
        return refuse(HTTPStatus.NOT_FOUND)
    route, request = found
    if not (has_key or route.open):
        return refuse(HTTPStatus.UNAUTHORIZED)
    if request.method not in route.methods:
        return replace(refuse(HTTPStatus.METHOD_NOT_ALLOWED), headers={"Allow": ", ".join(route.methods)})
    try:
        with store.lock:
            answer = route.methods[request.method](store, request)
        return answer if isinstance(answer, Reply) else answer()
    except Refused as refused:
        return refused.answer
