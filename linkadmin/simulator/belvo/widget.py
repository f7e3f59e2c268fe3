"""Belvo's hosted widget in update mode: access tokens, sign-ins with them, and the URLs it redirects to.

Its pages are in `pages/hosted`. Like Belvo's, it signs in through the API. A token without a link opens no page:
creating links isn't simulated.

https://developers.belvo.com/developer_resources/hosted-widget-update-mode
https://developers.belvo.com/products/aggregation_brazil/ofda-widget-introduction
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import ConnectionCut, Reply

from . import life, logins
from .bodies import Body, misfits, refused
from .guide import VALIDATION
from .institutions import Institution
from .records import BelvoLink, WidgetVisit

LIFETIME = 600  # seconds
FORGOTTEN_AFTER = 86_400  # seconds from the end of an access token
URL = re.compile("[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")  # also deep links of apps, such as acme://success
CALLBACKS = ("success", "exit", "event")
# The only errors that Belvo reports when the customer leaves.
EXIT_ERRORS = ("institution_down", "login_error", "too_many_sessions", "unexpected_error")
UNEXPECTED = (
    "unexpected_error",
    "Belvo is unable to process the request due to an internal system issue or to an unsupported response from an "
    "institution",
)
INVALID_TOKEN = {
    "error": "ACCESS_TOKEN_NOT_VALID",
    "error_message": "The access token was not provided or is not valid",
}
Call = Callable[[str, str, Mapping[str, str]], Reply]  # method, path and body of a call to the API


def new_access_token(store: Store, body: Body) -> str:
    now, link_id = store.clock(), body.get("link_id", "")
    if link_id and link_id not in store.belvo_links:
        raise refused(400, "does_not_exist", f"Object with id={link_id} does not exist.", field="link_id")
    access, callback_urls = secrets.token_urlsafe(48), _callback_urls(body)
    kept = {token: visit for token, visit in store.widget_visits.items() if visit.expires_at > now - FORGOTTEN_AFTER}
    store.widget_visits = {**kept, access: WidgetVisit(link_id, callback_urls, now + LIFETIME)}
    return access


def _callback_urls(body: Body) -> dict[str, str]:
    given = body.get("widget", {}).get("callback_urls", {})
    if not isinstance(given, dict) or not all(map(URL.fullmatch, map(str, given.values()))):
        raise refused(400, "invalid", "Enter a valid URL.", field="callback_urls")
    return {name: given[name] for name in CALLBACKS if name in given}


def is_open(store: Store, visit: WidgetVisit) -> bool:
    return not visit.is_used and visit.expires_at > store.clock() and visit.link_id in store.belvo_links


def sign_in(call: Call, visit: WidgetVisit, institution: Institution, typed: Mapping[str, str]) -> None:
    """Update the link's credentials. A username is ignored, because it can't be changed."""
    hidden = {field["name"]: field["value"] for field in institution["form_fields"] if field["type"] == "hidden"}
    _note(visit, lambda: call("PUT", f"/api/links/{visit.link_id}/", {**typed, **hidden}))


def request_code(store: Store, visit: WidgetVisit) -> None:
    with store.lock:
        _note(visit, lambda: logins.request_code(store, store.belvo_links[visit.link_id]))


def submit_code(store: Store, call: Call, visit: WidgetVisit, code: str) -> None:
    session = (visit.challenge or {}).get("session", "")
    before = store.attempts.get(session)
    _note(visit, lambda: call("PATCH", "/api/links/", {"session": session, "link": visit.link_id, "token": code}))
    after = store.attempts.get((visit.challenge or {}).get("session", ""))
    visit.was_wrong_code = bool(before and after and after.wrong_codes > before.wrong_codes)


def identify(visit: WidgetVisit, institution: Institution, typed: Body) -> None:
    """Take the customer's CPF, and a company's CNPJ."""
    visit.is_identified = not misfits(institution, typed)
    visit.error_code = "" if visit.is_identified else VALIDATION.code
    visit.error_message = "" if visit.is_identified else str(VALIDATION.message)


def give_consent(store: Store, visit: WidgetVisit) -> None:
    """Authorize Belvo at an open finance bank, for a year from now."""
    with store.lock:
        life.repair(store, store.belvo_links[visit.link_id])
        store.save()
    visit.is_used = True


def _note(visit: WidgetVisit, answer: Callable[[], Reply]) -> None:
    """Note how a call to the API ended: connected, asked for a code, or rejected."""
    visit.challenge, visit.was_wrong_code = None, False
    visit.error_code, visit.error_message = "", ""
    try:
        reply = answer()
        said = json.loads(reply.payload) if reply.content_type == "application/json" else {}
    except (ConnectionCut, ValueError):
        visit.error_code, visit.error_message = UNEXPECTED
        return
    item: dict[str, Any] = said[0] if isinstance(said, list) else said
    if reply.status in (HTTPStatus.OK, HTTPStatus.CREATED):
        visit.is_used = True
    elif "session" in item:
        visit.challenge = item
    else:
        visit.error_code = str(item.get("code", UNEXPECTED[0]))
        visit.error_message = str(item.get("message", UNEXPECTED[1]))


def success_url(visit: WidgetVisit, link: BelvoLink) -> str:
    return _with(visit.callback_urls.get("success", ""), {"link": link.id, "institution": link.institution})


def exit_url(visit: WidgetVisit, link: BelvoLink) -> str:
    """Belvo's documents show all four parameters in one example, but don't say when `step` comes with the others."""
    parameters = {}
    if visit.error_code:
        is_known = visit.error_code in EXIT_ERRORS
        code, message = (visit.error_code, visit.error_message) if is_known else UNEXPECTED
        parameters = {"last_encountered_error_code": code, "last_encountered_error_message": message}
    parameters["meta_data_institution_name"] = link.institution
    if not (visit.challenge or visit.is_identified):
        parameters["meta_data_step"] = "abandon-survey"
    return _with(visit.callback_urls.get("exit", ""), parameters)


def event_url(visit: WidgetVisit) -> str:
    return _with(visit.callback_urls.get("event", ""), INVALID_TOKEN)


def _with(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters, quote_via=quote)}" if url else ""
