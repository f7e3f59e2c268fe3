"""Plaid: routes, authentication, and its error format."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from linkadmin.simulator.clock import iso, seconds
from linkadmin.simulator.fields import Field, broken
from linkadmin.simulator.heron.links import ASSET_REPORTS
from linkadmin.simulator.heron.records import HeronLink
from linkadmin.simulator.outcomes import Refuse
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Refused, Reply, Request, Route, dispatch, json_reply

from . import messages
from .records import LinkToken, Visit

CLIENT_ID, SECRET = "plaid-client-sandbox", "plaid-secret-sandbox"
PREFIXES = ("/item/", "/link/token/", "/webhook_verification_key/", "/sandbox/")
ACCESS_TOKEN = "access-sandbox-"  # noqa: S105 - followed by an item ID
UPDATE_MODE = timedelta(minutes=30)
LONGEST_URL = timedelta(days=21)
REVOKED = "[USER_PERMISSION_REVOKED]"
TYPES = {
    "INVALID_API_KEYS": "INVALID_INPUT", "INVALID_ACCESS_TOKEN": "INVALID_INPUT", "INVALID_LINK_TOKEN": "INVALID_INPUT",
    "INVALID_WEBHOOK_VERIFICATION_KEY_ID": "INVALID_INPUT", "MISSING_FIELDS": "INVALID_REQUEST",
    "INVALID_FIELD": "INVALID_REQUEST", "INVALID_BODY": "INVALID_REQUEST", "NOT_FOUND": "INVALID_REQUEST",
    "INTERNAL_SERVER_ERROR": "API_ERROR", "USER_PERMISSION_REVOKED": "ITEM_ERROR", "ITEM_NOT_FOUND": "ITEM_ERROR",
    "PRODUCTS_NOT_SUPPORTED": "ITEM_ERROR",
}  # fmt: skip
KEYS = {"client_id": Field(), "secret": Field()}
CREATE_RULES = KEYS | {
    "access_token": Field(required=True),
    "client_name": Field(required=True),
    "language": Field(required=True),
    "country_codes": Field(list, required=True, fits=bool),
    "user": Field(dict, required=True, fits=lambda user: isinstance(user, dict) and bool(user.get("client_user_id"))),
    "hosted_link": Field(dict, required=True),
    "update": Field(dict),
}
GET_RULES = KEYS | {"link_token": Field(required=True)}
KEY_RULES = KEYS | {"key_id": Field(required=True)}
FIRE_RULES = KEYS | {
    "access_token": Field(required=True),
    "webhook_type": Field(choices=("ITEM",)),
    "webhook_code": Field(required=True, choices=messages.FIRED),
}


def respond(store: Store, request: Request) -> Reply:
    """Raises ConnectionCut."""
    return dispatch(store, request, ROUTES, _of_status, has_key=_has_key(request))


def error(code: str, words: str = "", status: int = 400) -> Reply:
    body = {"error_type": TYPES[code], "error_code": code, "error_message": words or code.lower().replace("_", " ")}
    return json_reply(status, {**body, "display_message": None, "request_id": secrets.token_hex(8)})


def refusal(reason: Refuse) -> Reply:
    return error("INTERNAL_SERVER_ERROR", status=reason.status)


def _of_status(status: int) -> Reply:
    return error("INVALID_API_KEYS") if status == HTTPStatus.UNAUTHORIZED else error("NOT_FOUND", status=status)


def _has_key(request: Request) -> bool:
    try:
        body = request.json()
    except ValueError:
        return False
    sent = body if isinstance(body, dict) else {}
    return (sent.get("client_id"), sent.get("secret")) == (CLIENT_ID, SECRET)


def _read(request: Request, rules: Mapping[str, Field]) -> dict[str, Any]:
    body: dict[str, Any] = request.json()
    for name, what in broken(body, rules):
        raise Refused(error("MISSING_FIELDS" if what == "required" else "INVALID_FIELD", f"{name}: {what}"))
    if unknown := sorted(body.keys() - rules.keys()):
        raise Refused(error("INVALID_FIELD", f"unknown field {unknown[0]}"))
    return body


def _create(store: Store, request: Request) -> Reply:
    body = _read(request, CREATE_RULES)
    link = _item(store, body["access_token"])
    if link.type == ASSET_REPORTS:
        raise Refused(error("PRODUCTS_NOT_SUPPORTED"))
    if link.status_message and link.status_message.startswith(REVOKED):
        raise Refused(error("USER_PERMISSION_REVOKED"))
    hosted, lives = body["hosted_link"], UPDATE_MODE.total_seconds()
    life = hosted.get("url_lifetime_seconds", lives)
    if not isinstance(life, int | float) or not 1 <= life <= LONGEST_URL.total_seconds():
        raise Refused(error("INVALID_FIELD", "url_lifetime_seconds: from a second to 21 days"))
    made = LinkToken(
        link.item_id,
        body["client_name"],
        body["language"],
        tuple(body["country_codes"]),
        created_at=store.now(),
        expires_at=iso(store.clock() + life),
        return_url=hosted.get("completion_redirect_uri", ""),
        chooses_accounts=bool(body.get("update", {}).get("account_selection_enabled")),
    )
    store.link_tokens[made.token] = made
    return json_reply(
        200,
        {
            "link_token": made.token,
            "expiration": made.expires_at,
            "hosted_link_url": f"{request.origin}/link/{made.page}",
            "request_id": secrets.token_hex(8),
        },
    )


def _get(store: Store, request: Request) -> Reply:
    found = store.link_tokens.get(_read(request, GET_RULES)["link_token"])
    if not found:
        raise Refused(error("INVALID_LINK_TOKEN"))
    metadata = {
        "initial_products": [], "webhook": None, "country_codes": list(found.countries), "language": found.language,
        "redirect_uri": None, "client_name": found.client_name,
    }  # fmt: skip
    body = {
        "link_token": found.token,
        "created_at": found.created_at,
        "expiration": found.expires_at,
        "link_sessions": [_shown(visit) for visit in found.visits],
        "metadata": metadata,
        "request_id": secrets.token_hex(8),
    }
    return json_reply(200, body)


def _shown(visit: Visit) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "link_session_id": visit.id,
        "started_at": visit.started_at,
        "finished_at": visit.finished_at,
    }
    if visit.has_left:
        # As documented, the error is empty unless there was one.
        shown["exit"] = {"error": messages.error_of(f"[{visit.error}]") if visit.error else None, "metadata": {}}
    return shown


def _verification_key(store: Store, request: Request) -> Reply:
    if _read(request, KEY_RULES)["key_id"] != store.plaid_key.kid:
        raise Refused(error("INVALID_WEBHOOK_VERIFICATION_KEY_ID"))
    return json_reply(200, {"key": store.plaid_key.public(), "request_id": secrets.token_hex(8)})


def _fire(store: Store, request: Request) -> Reply:
    body = _read(request, FIRE_RULES)
    link = _item(store, body["access_token"])
    if body["webhook_code"] == "ERROR":
        store.tell_plaid(messages.failed(link))
    else:
        store.tell_plaid(messages.about_item(link.item_id, body["webhook_code"]))
    return json_reply(200, {"webhook_fired": True, "request_id": secrets.token_hex(8)})


def _show_item(store: Store, request: Request) -> Reply:
    link = _item(store, _read(request, KEYS | {"access_token": Field(required=True)})["access_token"])
    is_broken = link.status == "erroring" and not link.is_repaired
    item: dict[str, Any] = {
        "item_id": link.item_id, "institution_id": None, "webhook": store.plaid_url,
        "error": messages.error_of(link.status_message) if is_broken else None, "available_products": [],
        "billed_products": [], "consent_expiration_time": None, "update_type": "background",
    }  # fmt: skip
    return json_reply(200, {"item": item, "status": None, "request_id": secrets.token_hex(8)})


def _item(store: Store, access_token: str) -> HeronLink:
    link = store.heron_links.get(access_token.removeprefix(ACCESS_TOKEN))
    if not access_token.startswith(ACCESS_TOKEN) or not link:
        raise Refused(error("INVALID_ACCESS_TOKEN"))
    if link.status == "deleted_in_plaid":
        raise Refused(error("ITEM_NOT_FOUND"))
    return link


def is_expired(store: Store, link_token: LinkToken) -> bool:
    return seconds(link_token.expires_at) <= store.clock()


ROUTES = (
    Route("/item/get", {"POST": _show_item}),
    Route("/link/token/create", {"POST": _create}),
    Route("/link/token/get", {"POST": _get}),
    Route("/webhook_verification_key/get", {"POST": _verification_key}),
    Route("/sandbox/item/fire_webhook", {"POST": _fire}),
)
