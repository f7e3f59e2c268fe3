"""Heron request bodies and its error format."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from linkadmin.simulator.fields import Field, Rules, broken
from linkadmin.simulator.outcomes import Refuse
from linkadmin.simulator.wire import Refused, Reply, Request, json_reply

Thing = TypeVar("Thing")


def is_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")


LONGEST_END_USER_ID, LONGEST_NAME = 140, 128
LINK_RULES = {
    "access_token": Field(required=True),
    "end_user_id": Field(required=True, longest=LONGEST_END_USER_ID),
    "item_id": Field(required=True),
    "end_user_name": Field(blank=True, longest=LONGEST_NAME),
    "asset_report_token": Field(blank=True, nullable=True),
}
TOKEN_RULES = {"access_token": Field(required=True)}
END_USER_RULES = {
    "end_user_id": Field(required=True, longest=LONGEST_END_USER_ID),
    "name": Field(blank=True, nullable=True, longest=LONGEST_NAME),
    "is_portfolio": Field(bool),
    "meta": Field(dict, nullable=True, fits=is_texts),
    "status": Field(choices=("new", "ready", "processed", "reviewed", "review_requested", "failed")),
}
WORDS = {
    "required": "Missing data for required field.",
    "nullable": "Field may not be null.",
    "str": "Not a valid string.",
    "blank": "Shorter than minimum length 1.",
    "longest": "Longer than maximum length {rule.longest}.",
}  # everything else: an invalid value


def envelope_of(status: int, description: str | Mapping[str, object]) -> Reply:
    return json_reply(status, {"code": status, "name": HTTPStatus(status).phrase, "description": description})


def refused(status: int, description: str | Mapping[str, object]) -> Refused:
    return Refused(envelope_of(status, description))


def found(thing: Thing | None, what: str) -> Thing:
    if thing is None:
        raise refused(404, f"{what} not found")
    return thing


def refusal(reason: Refuse) -> Reply:
    return envelope_of(reason.status, reason.message)


def read(request: Request, rules: Rules, envelope: str = "") -> dict[str, Any]:
    """Raises Refused with the errors of all fields."""
    try:
        body = request.json()
    except ValueError:
        raise refused(400, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise refused(422, {"json": {"_schema": ["Invalid input type."]}})
    inner = body.get(envelope) if envelope else body
    if not isinstance(inner, dict):
        message = "Missing data for required field." if inner is None else "Invalid input type."
        raise refused(422, {"json": {envelope: [message]}})
    faults = {name: [WORDS.get(what, "Invalid value.").format(rule=rules[name])] for name, what in broken(inner, rules)}
    faults |= {name: ["Unknown field."] for name in inner.keys() - rules.keys()}
    if faults:
        raise refused(422, {"json": {envelope: faults} if envelope else faults})
    return inner


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
