"""How Heron reads what it is sent, and its one shape of an error."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from linkadmin.simulator.outcomes import Refuse
from linkadmin.simulator.wire import Refused, Reply, Request, json_reply

Thing = TypeVar("Thing")


def is_texts(value: object) -> bool:
    """Say whether this is an object of texts."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")


LONGEST_END_USER_ID, LONGEST_NAME = 140, 128
Rules = Mapping[str, tuple[bool, int]]  # field: required, longest length (0: any)
LINK_RULES: Rules = {
    "access_token": (True, 0),
    "end_user_id": (True, LONGEST_END_USER_ID),
    "item_id": (True, 0),
    "end_user_name": (False, LONGEST_NAME),
    "asset_report_token": (False, 0),
}
TOKEN_RULES: Rules = {"access_token": (True, 0)}
END_USER_RULES: Rules = {"end_user_id": (True, LONGEST_END_USER_ID), "name": (False, LONGEST_NAME)}
END_USER_OTHERS: Mapping[str, Callable[[Any], bool]] = {
    "is_portfolio": lambda value: isinstance(value, bool),
    "meta": lambda value: value is None or is_texts(value),
    "status": lambda value: value in ("new", "ready", "processed", "reviewed", "review_requested", "failed"),
}
NULLABLE = {"asset_report_token", "name"}


def envelope_of(status: int, description: str | Mapping[str, object]) -> Reply:
    return json_reply(status, {"code": status, "name": HTTPStatus(status).phrase, "description": description})


def refused(status: int, description: str | Mapping[str, object]) -> Refused:
    return Refused(envelope_of(status, description))


def found(thing: Thing | None, what: str) -> Thing:
    """Return the thing. Raises Refused when there is none."""
    if thing is None:
        raise refused(404, f"{what} not found")
    return thing


def refusal(reason: Refuse) -> Reply:
    return envelope_of(reason.status, reason.message)


def read(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        raise refused(400, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise refused(422, {"json": {"_schema": ["Invalid input type."]}})
    return body


def read_inside(request: Request, envelope: str) -> dict[str, Any]:
    inner = read(request).get(envelope)
    if not isinstance(inner, dict):
        message = "Missing data for required field." if inner is None else "Invalid input type."
        raise refused(422, {"json": {envelope: [message]}})
    return inner


def check(
    body: Mapping[str, Any],
    rules: Rules,
    *,
    envelope: str = "",
    others: Mapping[str, Callable[[Any], bool]] = MappingProxyType({}),
) -> None:
    """Raise Refused with what is wrong at each field."""
    faults = {name: [fault] for name, rule in rules.items() if (fault := _fault(name, rule, body))}
    faults |= {name: ["Unknown field."] for name in body.keys() - rules.keys() - others.keys()}
    faults |= {name: ["Invalid value."] for name, fits in others.items() if name in body and not fits(body[name])}
    if faults:
        raise refused(422, {"json": {envelope: faults} if envelope else faults})


def _fault(name: str, rule: tuple[bool, int], body: Mapping[str, Any]) -> str:
    required, longest = rule
    value = body.get(name)
    if name not in body:
        return "Missing data for required field." if required else ""
    if value is None:
        return "" if name in NULLABLE else "Field may not be null."
    if not isinstance(value, str):
        return "Not a valid string."
    if required and not value:
        return "Shorter than minimum length 1."
    return f"Longer than maximum length {longest}." if longest and len(value) > longest else ""


def choice(request: Request, name: str, allowed: tuple[str, ...]) -> str:
    value = request.query.get(name, allowed[0])
    if value not in allowed:
        raise refused(422, {"query": {name: ["Must be one of: " + ", ".join(allowed) + "."]}})
    return value


def count(request: Request, name: str, default: int, largest: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise refused(422, {"query": {name: [f"Must be between 1 and {largest}."]}})
    return int(text)
