"""Belvo request bodies and its error format: a list of errors, each with its field."""

import json
import re
import secrets
from typing import Any, TypeVar

from linkadmin.simulator.fields import Field, Rules, broken
from linkadmin.simulator.outcomes import Refuse
from linkadmin.simulator.wire import Refused, Reply, Request, json_reply

from .institutions import Institution

Body = dict[str, Any]

Thing = TypeVar("Thing")

NOT_FOUND = ("not_found", "Not found.")
WRONG_KEYS = ("authentication_failed", "Invalid Secret Keys")
REQUIRED = ("required", "This field is required.")
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STORAGE = "(store|nostore|[1-9][0-9]{0,2}d)"
ACCESS_MODES = ("single", "recurrent")


TEXT = Field()
REGISTER = {
    "institution": Field(required=True),
    "username": Field(required=True),
    "password": TEXT,
    "username2": TEXT,
    "username3": TEXT,
    "password2": TEXT,
    "username_type": TEXT,
    "token": TEXT,
    "certificate": TEXT,
    "private_key": TEXT,
    "encryption_key": TEXT,
    "external_id": Field(shortest=3),
    "access_mode": Field(choices=ACCESS_MODES),
    "fetch_resources": Field(list),
    "credentials_storage": Field(pattern=STORAGE),
    "stale_in": Field(pattern="[1-9][0-9]*d"),
    "fetch_historical": Field(bool),
}
UPDATE = {
    "password": TEXT,
    "password2": TEXT,
    "token": TEXT,
    "encryption_key": TEXT,
    "username_type": TEXT,
    "certificate": TEXT,
    "private_key": TEXT,
}
RESUME = {
    "session": Field(required=True),
    "link": Field(required=True, pattern=UUID),
    "token": Field(blank=True),
    "save_data": Field(bool),
}
SETTINGS = {name: REGISTER[name] for name in ("access_mode", "stale_in", "fetch_resources")}
REFRESH = {"fetch_resources": Field(list)}
WORDS = {
    "required": REQUIRED,
    "nullable": ("null", "This field may not be null."),
    "list": ("not_a_list", 'Expected a list but got type "{kind}".'),
    "bool": ("invalid", "Must be a valid boolean."),
    "dict": ("invalid", "Expected a dictionary, but got {kind}."),
    "str": ("invalid", "Not a valid string."),
    "blank": ("blank", "This field may not be blank."),
    "choices": ("invalid_choice", '"{value}" is not a valid choice.'),
    "pattern": ("invalid", "Enter a valid value."),
    "shortest": ("min_length", "Ensure this field has at least {rule.shortest} characters."),
}
WIDGET = {
    "id": Field(required=True),
    "password": Field(required=True),
    "scopes": Field(required=True),
    "link_id": Field(pattern=UUID),
    "widget": Field(dict),
}


def trimmed(answer: Reply, request: Request) -> Reply:
    fields, omit = (set(filter(None, request.query.get(name, "").split(","))) for name in ("fields", "omit"))
    if answer.status not in (200, 201) or not fields | omit:
        return answer
    body = json.loads(answer.payload)

    def cut(row: Body) -> Body:
        return {name: row[name] for name in row if name not in omit and (not fields or name in fields)}

    whole = {**body, "results": [cut(row) for row in body["results"]]} if "results" in body else cut(body)
    return json_reply(answer.status, whole)


def error(code: str, message: str, **more: str) -> dict[str, str]:
    return {"code": code, "message": message, "request_id": secrets.token_hex(16), **more}


def refusal(refuse: Refuse) -> Reply:
    return json_reply(refuse.status, [error(refuse.code, str(refuse.message))])


def refused(status: int, code: str, message: str, **more: str) -> Refused:
    return Refused(json_reply(status, [error(code, message, **more)]))


def found(thing: Thing | None) -> Thing:
    if thing is None:
        raise refused(404, *NOT_FOUND)
    return thing


def read(request: Request, rules: Rules) -> Body:
    """Ignores unknown fields. Raises Refused with all errors at once."""
    try:
        body = request.json()
    except ValueError as cause:
        raise refused(400, "parse_error", f"JSON parse error - {cause}") from None
    if not isinstance(body, dict):
        raise refused(400, "invalid", f"Invalid data. Expected a dictionary, but got {type(body).__name__}.")
    errors = [_error(name, what, rules[name], body.get(name)) for name, what in broken(body, rules)]
    if errors:
        raise Refused(json_reply(400, errors))
    return {name: body[name] for name in rules if name in body}


def _error(name: str, what: str, rule: Field, value: object) -> dict[str, str]:
    code, message = WORDS[what]
    return error(code, message.format(value=value, kind=type(value).__name__, rule=rule), field=name)


def check_resources(institution: Institution, body: Body) -> None:
    if set(map(str, body.get("fetch_resources", []))) - set(institution["resources"]):
        offered = ", ".join(institution["resources"])
        message = f"The institution only supports the following resources: {offered}"
        raise refused(400, "invalid", message, field="resources")


def check_pair(body: Body) -> None:
    missing = {"certificate", "private_key"} - body.keys()
    if len(missing) == 1:
        raise refused(400, *REQUIRED, field=missing.pop())


def lacks(institution: Institution, body: Body, names: set[str]) -> bool:
    needed = {field["name"] for field in institution["form_fields"] if not field.get("optional")}
    return bool((needed & names) - body.keys())


def misfits(institution: Institution, body: Body) -> bool:
    patterns = {field["name"]: field.get("validation", "") for field in institution["form_fields"]}
    for field in institution["form_fields"]:
        if field["type"] == "select" and field["name"] in body:
            chosen = {item["code"]: item["validation"] for item in field["values"]}
            if body[field["name"]] not in chosen:
                return True
            patterns["username"] = chosen[body[field["name"]]]
    typed = patterns.keys() & body.keys() - {"token"}
    return any(not re.search(patterns[name], body[name]) for name in typed)
