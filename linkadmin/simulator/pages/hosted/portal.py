"""Belvo's consent portal as pages: sign in with a CPF, confirm at a bank, then renew or withdraw consents.

Belvo's portal doesn't lead back to the company, and neither does this one.

https://developers.belvo.com/products/aggregation_brazil/aggregation-brazil-mybelvoportal
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from linkadmin.simulator.belvo import consents, life
from linkadmin.simulator.belvo.records import PortalVisit
from linkadmin.simulator.gateway import Gateway
from linkadmin.simulator.pages.rendering import html, see_other
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request

from .words import page_in

LIFETIME = 1800  # seconds
TEST_VALUES = 20
NOT_DIGITS = re.compile(r"\D")


def respond(gateway: Gateway, request: Request, form: Mapping[str, str]) -> Reply:
    store, language = gateway.store, _language(request)
    with store.lock:
        visit = store.portal_visits.get(request.query.get("visit", ""))
        if visit is None or visit.expires_at <= store.clock():
            return _sign_in(store, request, form, language)
        if request.method == "GET":
            return _shown(store, visit, language, request.query.get("done", ""))
        done = _act(gateway, visit, form)
        return see_other(f"{request.target}?visit={request.query['visit']}&done={done}")


def _sign_in(store: Store, request: Request, form: Mapping[str, str], language: str) -> Reply:
    cpf, cnpj = (NOT_DIGITS.sub("", form.get(name, "")) for name in ("cpf", "cnpj"))
    found = consents.of_person(store, cpf, business=bool(cnpj)) if cpf else []
    if found:
        key = secrets.token_urlsafe(32)
        store.portal_visits[key] = PortalVisit([each["link"] for each in found], store.clock() + LIFETIME)
        return see_other(f"{request.target}?visit={key}")
    context = page_in(language)
    context |= {"is_unknown": bool(cpf), "test_values": _rows(store, consents.to_renew(store, TEST_VALUES), context)}
    return html(context["say"]["portal"], "hosted/portal_sign_in.html", context)


def _act(gateway: Gateway, visit: PortalVisit, form: Mapping[str, str]) -> str:
    """Return which words tell what was done."""
    store, link_id = gateway.store, form.get("link", "")
    if not visit.is_confirmed:
        visit.is_confirmed = True
        return ""
    link = store.belvo_links.get(link_id) if link_id in visit.link_ids else None
    if link is None:
        return ""
    store.save()
    if "withdraw" in form:
        consents.revoke_now(store, link)
        return "withdrawn"
    life.repair(store, link)
    return "renewed"


def _shown(store: Store, visit: PortalVisit, language: str, done: str) -> Reply:
    context = page_in(language)
    found = [consent for each in visit.link_ids for consent in consents.listed(store, each)]
    context |= {"consents": _rows(store, found, context), "done": context["say"].get(done)}
    if visit.is_confirmed:
        return html(context["say"]["consents"], "hosted/portal.html", context)
    return html(context["say"]["identity"], "hosted/portal_identity.html", context)


def _rows(store: Store, found: list[dict[str, Any]], context: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        consent
        | {
            "bank": store.institutions[consent["belvo_institution_name"]]["display_name"],
            "external_id": store.belvo_links[consent["link"]].external_id,
            "is_business": consent["belvo_institution_name"].endswith("_business"),
            "label": context["say"][consent["status"]],
            "is_authorized": consent["status"] == "AUTHORISED",
            "ends": (consent["expired_at"] or context["say"]["never"])[:10],
        }
        for consent in found
    ]


def _language(request: Request) -> str:
    """English or Spanish if the browser prefers it; otherwise Portuguese, like Belvo's own."""
    preferred = request.headers.get("accept-language", "")[:2].lower()
    return preferred if preferred in ("en", "es") else "pt"
