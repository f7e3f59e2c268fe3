"""Plaid's hosted page: the customer signs in at the bank, leaves, or fails. Then it leads back, whatever happened."""

from typing import Any

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Request

from . import messages
from .api import is_expired
from .records import LinkToken, Visit

PATH = "/link/"
OUTCOMES = {
    "repaired": "Sign in at the bank",
    "failed": "Fail: the bank rejects the sign-in",
    "left": "Leave without signing in",
}
REJECTED = "INVALID_CREDENTIALS"


def find(store: Store, request: Request) -> LinkToken | None:
    page = request.path.removeprefix(PATH)
    return next((each for each in store.link_tokens.values() if each.page == page), None)


def context(store: Store, found: LinkToken | None) -> dict[str, Any]:
    return {"token": found if found and not is_expired(store, found) else None, "outcomes": OUTCOMES}


def visit(store: Store, found: LinkToken) -> None:
    if not found.visits or found.visits[-1].finished_at:
        found.visits.append(Visit(started_at=store.now()))


def leave(store: Store, found: LinkToken, chosen: str) -> str:
    """Carry out what the customer chose, tell our webhooks, and return where to lead back to."""
    visit(store, found)
    latest = found.visits[-1]
    latest.finished_at, latest.has_left = store.now(), chosen != "repaired"
    latest.error = REJECTED if chosen == "failed" else ""
    link = store.heron_links.get(found.item_id)
    if link and not latest.has_left:
        link.is_repaired = True
        store.save()
    store.tell_plaid(messages.session_finished(found, latest))
    return found.return_url or "/"
