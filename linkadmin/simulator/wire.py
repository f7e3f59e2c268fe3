"""Requests and answers between the server and the two providers it plays."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .state import World


class ConnectionCut(Exception):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it arrived: from `address`, to `origin`, such as http://127.0.0.1:8800."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    origin: str
    address: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Read the body; an empty one is an empty object. Raises ValueError."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. A `length` beyond the payload announces bytes that never come; `drip` seconds pass between bytes."""

    status: int
    payload: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    drip: float = 0.0


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


Handler = Callable[["World", Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with its methods. An open route asks for no key."""

    pattern: str
    methods: Mapping[str, Handler]
    open: bool = False


def find(routes: Sequence[Route], request: Request) -> tuple[Route, Request] | None:
    """Find the route of a request, and give the request the parts of its path."""
    for route in routes:
        if matched := re.fullmatch(route.pattern, request.path):
            return route, replace(request, args=matched.groupdict())
    return None


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers or {})
