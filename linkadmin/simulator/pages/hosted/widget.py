"""Belvo's hosted widget as pages: the bank's fields, the code step, and the way back to the company."""

import json
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from linkadmin.simulator.belvo import api, widget
from linkadmin.simulator.belvo.institutions import OPEN_FINANCE, Institution
from linkadmin.simulator.belvo.records import BelvoLink, WidgetVisit
from linkadmin.simulator.gateway import Gateway
from linkadmin.simulator.pages.rendering import html, see_other
from linkadmin.simulator.wire import Reply, Request

from .words import LANGUAGES, page_in


def respond(gateway: Gateway, request: Request, form: Mapping[str, str]) -> Reply:
    store, access = gateway.store, request.query.get("access_token", "")
    locale = request.query.get("locale", "")
    language = locale if locale in LANGUAGES else "en"
    visit = store.widget_visits.get(access)
    if visit is None or not widget.is_open(store, visit):
        return _expired(visit, language)
    link = store.belvo_links[visit.link_id]
    if request.method == "GET":
        return _step(visit, link, store.bank(link), language)
    if "leave" in form:
        return _back(widget.exit_url(visit, link), "left", language)
    _act(gateway, request, visit, form)
    if visit.is_used:
        return _back(widget.success_url(visit, link), "connected", language)
    return see_other(f"{request.target}?access_token={access}&locale={language}")


def _act(gateway: Gateway, request: Request, visit: WidgetVisit, form: Mapping[str, str]) -> None:
    store = gateway.store
    link = store.belvo_links[visit.link_id]
    bank, call = store.bank(link), partial(_call, gateway, request)
    if visit.challenge:
        widget.submit_code(store, call, visit, form.get("code", ""))
    elif visit.is_identified:
        widget.give_consent(store, visit)
    elif bank["integration_type"] == OPEN_FINANCE:
        widget.identify(visit, bank, dict(form))
    elif link.status == "token_required":
        widget.request_code(store, visit)
    else:
        widget.sign_in(call, visit, bank, {name: text for name, text in form.items() if text})


def _call(gateway: Gateway, request: Request, method: str, path: str, body: Mapping[str, str]) -> Reply:
    headers = {"authorization": api.BASIC}
    payload = json.dumps(body).encode()
    return gateway.answer(Request(method, path, {}, headers, payload, request.origin, request.address, path))


def _step(visit: WidgetVisit, link: BelvoLink, bank: Institution, language: str) -> Reply:
    context: dict[str, Any] = {"visit": visit, "fields": _fields(bank), "labels_in": _language_of(bank)}
    if visit.challenge:
        context |= {"step": "code", "challenge": visit.challenge.get("token_generation_data")}
    elif visit.is_identified:
        context["step"] = "consent"
    elif bank["integration_type"] == OPEN_FINANCE:
        context["step"] = "document"
    else:
        context["step"] = "get_code" if link.status == "token_required" else "sign_in"
    return html(bank["display_name"], "hosted/widget.html", page_in(language) | context)


def _fields(bank: Institution) -> list[dict[str, Any]]:
    return [field for field in bank["form_fields"] if field["name"] != "token" and field["type"] != "hidden"]


def _language_of(bank: Institution) -> str:
    return "pt" if bank["country_code"] == "BR" else "es"


def _back(url: str, outcome: str, language: str) -> Reply:
    """Without a callback URL, the widget's own last page."""
    context = page_in(language)
    return see_other(url) if url else html(context["say"][outcome], "hosted/widget_end.html", context)


def _expired(visit: WidgetVisit | None, language: str) -> Reply:
    context = page_in(language) | {"url": widget.event_url(visit) if visit else ""}
    return html(context["say"]["expired"], "hosted/widget_expired.html", context, HTTPStatus.GONE)
