"""Pages for a browser: the Simulator guide, recent requests, recent webhooks. Plain HTML, no script."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from linkadmin.simulator import faults
from linkadmin.simulator.belvo import api as belvo
from linkadmin.simulator.belvo import consents
from linkadmin.simulator.belvo import guide as belvo_guide
from linkadmin.simulator.belvo import messages as belvo_messages
from linkadmin.simulator.belvo.institutions import Institution
from linkadmin.simulator.belvo.records import PRACTICE_AUTHORIZATION
from linkadmin.simulator.belvo.widget import LIFETIME
from linkadmin.simulator.heron import api as heron
from linkadmin.simulator.heron import guide as heron_guide
from linkadmin.simulator.heron import messages as heron_messages
from linkadmin.simulator.heron.records import PRACTICE_SECRET
from linkadmin.simulator.journal import Call, masked
from linkadmin.simulator.outcomes import DRIP
from linkadmin.simulator.plaid import api as plaid
from linkadmin.simulator.plaid import messages as plaid_messages
from linkadmin.simulator.settings import MEANINGS, SimulatorSettings
from linkadmin.simulator.store import PROCESSED_AFTER, REMOVED_AFTER, Store
from linkadmin.simulator.wire import Reply, Request, json_reply

from .rendering import FOLDER, HEADERS, html

SHOWN = 50  # rows on a page
STYLE = (FOLDER / "guide.css").read_bytes()
CONSTANTS = {
    "belvo": belvo,
    "belvo_guide": belvo_guide,
    "belvo_messages": belvo_messages,
    "consents": consents.CPF_USERNAMES,
    "heron": heron,
    "heron_guide": heron_guide,
    "heron_messages": heron_messages,
    "plaid": plaid,
    "plaid_messages": plaid_messages,
    "faults": faults,
    "drip": DRIP,
    "widget_minutes": LIFETIME // 60,
    "removed_after": REMOVED_AFTER,
    "processed_after": PROCESSED_AFTER,
    "practice_authorization": PRACTICE_AUTHORIZATION,
    "practice_secret": PRACTICE_SECRET,
}


def respond(calls: Sequence[Call], store: Store, settings: SimulatorSettings, request: Request) -> Reply:
    if request.method != "GET":
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
    match request.path:
        case "/":
            with store.lock:
                return html("Simulator guide", "guide.html", _guide(store, settings, request.origin))
        case "/calls/":
            return html("Recent requests", "calls.html", {"calls": [_call(call) for call in reversed(calls[-SHOWN:])]})
        case "/webhooks/":
            latest = list(reversed(store.deliveries.all()[-SHOWN:]))
            return html("Recent webhooks", "webhooks.html", {"deliveries": latest})
        case "/calls.json":
            return json_reply(200, [{**asdict(call), "raw": call.raw.decode(errors="replace")} for call in calls])
        case "/guide.css":
            return Reply(200, STYLE, "text/css; charset=utf-8", HEADERS)
        case "/favicon.ico":
            return Reply(HTTPStatus.NO_CONTENT)
        case _:
            return html("Page not found", "base.html", {}, 404)


def _guide(store: Store, settings: SimulatorSettings, origin: str) -> dict[str, Any]:
    return {
        **CONSTANTS,
        "origin": origin,
        "store": store,
        "links": f"{len(store.belvo_links):,}",
        "items": f"{len(store.heron_links):,}",
        "customers": f"{len(store.end_users):,}",
        "settings": [(name, value, MEANINGS[name]) for name, value in asdict(settings).items()],
        "banks": [_bank(institution) for institution in store.institutions.values()],
    }


def _bank(institution: Institution) -> dict[str, Any]:
    visible = [field for field in institution["form_fields"] if field["type"] != "hidden"]  # the form fills hidden ones
    remarks = [feature["name"] for feature in institution["features"]]
    remarks += ["down"] if institution["status"] == "down" else []
    remarks += ["open finance"] if institution["integration_type"] == "openfinance" else []
    fields = [field["name"] + (" (optional)" if field.get("optional") else "") for field in visible]
    return {**institution, "asks_for": fields, "remarks": remarks}


def _call(call: Call) -> dict[str, Any]:
    shown = masked(call)
    body = "" if shown.body is None else json.dumps(shown.body, ensure_ascii=False)
    return {**asdict(shown), "time": time.strftime("%H:%M:%S", time.gmtime(call.at)), "json": body}
