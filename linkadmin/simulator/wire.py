"""Requests and answers between the server and the two providers it plays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    target: str = ""  # the path as it was sent, with an encoded slash still apart from one between two segments
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


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers or {})
