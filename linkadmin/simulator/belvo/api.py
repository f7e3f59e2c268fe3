"""Belvo: routes, authentication, and all calls that don't contact a bank: lists, details, settings, refresh, delete."""

import base64
import secrets
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from linkadmin.simulator.clock import seconds
from linkadmin.simulator.fields import Filters, chosen, passes
from linkadmin.simulator.store import REMOVED_AFTER, Store, Task
from linkadmin.simulator.wire import Reply, Request, Route, dispatch, json_reply

from . import bodies, consents, messages, widget
from .bodies import error
from .logins import find_link, register, resume, shown, update
from .records import BelvoLink

SECRET_ID, SECRET_PASSWORD = "sandbox-id", "sandbox-password"
REFRESH_PAUSE = 600  # seconds between two refreshes of a link
PAGE_SIZE, LARGEST_PAGE = 100, 1000
Thing = TypeVar("Thing")

BASIC = "Basic " + base64.b64encode(f"{SECRET_ID}:{SECRET_PASSWORD}".encode()).decode()
_ID = f"(?P<id>{bodies.UUID})"

_EQUAL_OR_IN = ("id", "institution", "external_id", "institution_user_id", "status")
LINK_FILTERS = {
    **{name: (name, "") for name in (*_EQUAL_OR_IN, "access_mode", "refresh_rate")},
    **{f"{name}__in": (name, "in") for name in _EQUAL_OR_IN},
    **{f"created_at__{how}": ("created_at", how) for how in ("gt", "gte", "lt", "lte", "range")},
    "created_at": ("created_at", "day"),
    "created_by__not_in": ("created_by", "not_in"),
}
INSTITUTION_FILTERS = {
    **{name: (name, "") for name in ("country_code", "name", "status", "type", "website")},
    **{f"{name}__in": (name, "in") for name in ("country_code", "name", "status", "type")},
    "display_name": ("display_name", "has"),
    "resources__allin": ("resources", "allin"),
}


def respond(store: Store, request: Request) -> Reply:
    """Raises ConnectionCut."""
    errors = {
        404: bodies.NOT_FOUND,
        401: bodies.WRONG_KEYS,
        405: ("method_not_allowed", f'Method "{request.method}" not allowed.'),
    }
    has_key = request.headers.get("authorization") == BASIC
    answer = dispatch(
        store, request, ROUTES, lambda status: json_reply(status, [error(*errors[status])]), has_key=has_key
    )
    return bodies.trimmed(answer, request)


def _probe(store: Store, request: Request) -> Reply:
    return json_reply(200, {})


def _page(
    request: Request, records: Iterable[Thing], filters: Filters, show: Callable[[Thing], dict[str, Any]]
) -> Reply:
    chosen_filters = chosen(request.query, filters)
    try:
        rows = [record for record in records if passes(record, chosen_filters)] if chosen_filters else list(records)
        page = max(1, int(request.query.get("page", "1")))
        size = min(LARGEST_PAGE, max(1, int(request.query.get("page_size", PAGE_SIZE))))
    except ValueError:
        raise bodies.refused(400, "invalid", "Enter a valid value.") from None
    page_of_results = {
        "count": len(rows),
        "next": _page_url(request, page + 1) if page * size < len(rows) else None,
        "previous": _page_url(request, page - 1) if page > 1 else None,
        "results": [show(row) for row in rows[(page - 1) * size : page * size]],
    }
    return json_reply(200, page_of_results)


def _page_url(request: Request, page: int) -> str:
    return f"{request.origin}{request.path}?{urlencode({**request.query, 'page': page})}"


def _list_links(store: Store, request: Request) -> Reply:
    return _page(request, reversed(store.belvo_links.values()), LINK_FILTERS, shown)


def _link(store: Store, request: Request) -> Reply:
    return json_reply(200, shown(find_link(store, request)))


def _change_settings(store: Store, request: Request) -> Reply:
    body = bodies.read(request, bodies.SETTINGS)
    link = find_link(store, request)
    bodies.check_resources(store.bank(link), body)
    if body.get("access_mode") == "recurrent" and link.credentials_storage == "nostore":
        message = "This link doesn't have stored credentials hence it can't be switched to recurrent mode"
        raise bodies.refused(400, "invalid_access_mode_switch", message)
    for name, value in body.items():
        setattr(link, name, value)
    return json_reply(200, shown(link))


def _delete(store: Store, request: Request) -> Reply:
    link = find_link(store, request)
    if request.headers.get("x-belvo-request-mode") == "async":
        store.due.setdefault((Task.REMOVE_LINK, link.id), store.clock() + REMOVED_AFTER)
        return json_reply(202, {"request_id": store.removals.setdefault(link.id, secrets.token_hex(16))})
    store.remove_belvo_link(link.id)
    return Reply(204)


def _refresh(store: Store, request: Request) -> Reply:
    body = bodies.read(request, bodies.REFRESH)
    link = find_link(store, request)
    bodies.check_resources(store.bank(link), body)
    _refuse_early_refresh(store, link)
    link.refreshed_at = store.now()
    request_id = secrets.token_hex(16)
    if link.status == "valid":
        link.last_accessed_at = link.refreshed_at
        store.tell_belvo(*messages.loaded(link, store.bank(link), request_id))
    else:
        store.tell_belvo(*messages.refused(link, messages.HISTORICAL, request_id))
    return json_reply(202, {"request_id": request_id})


def _refuse_early_refresh(store: Store, link: BelvoLink) -> None:
    left = seconds(link.refreshed_at) + REFRESH_PAUSE - store.clock() if link.refreshed_at else 0
    if left > 0:
        minutes = int(left // 60) + 1
        message = f"The link has already been refreshed. Please wait {minutes} minutes before trying again."
        raise bodies.refused(409, "link_refreshed", message)


def _list_institutions(store: Store, request: Request) -> Reply:
    return _page(request, store.institutions.values(), INSTITUTION_FILTERS, dict)


def _institution(store: Store, request: Request) -> Reply:
    wanted = int(request.args["id"])
    found = next((bank for bank in store.institutions.values() if bank["id"] == wanted), None)
    return json_reply(200, bodies.found(found))


def _list_consents(store: Store, request: Request) -> Reply:
    return _page(request, consents.listed(store, request.query.get("link")), consents.FILTERS, dict)


def _consent(store: Store, request: Request) -> Reply:
    return json_reply(200, bodies.found(consents.find(store, request.args["id"])))


def _widget_token(store: Store, request: Request) -> Reply:
    body = bodies.read(request, bodies.WIDGET)
    if (body["id"], body["password"]) != (SECRET_ID, SECRET_PASSWORD):
        raise bodies.refused(401, *bodies.WRONG_KEYS)
    return json_reply(200, {"access": widget.new_access_token(store, body), "refresh": secrets.token_urlsafe(48)})


ROUTES = (
    Route("/api/", {"GET": _probe}),
    Route("/api/links/", {"GET": _list_links, "POST": register, "PATCH": resume}),
    Route(f"/api/links/{_ID}/", {"GET": _link, "PUT": update, "PATCH": _change_settings, "DELETE": _delete}),
    Route(f"/api/links/{_ID}/refresh/", {"POST": _refresh}),
    Route("/api/institutions/", {"GET": _list_institutions}),
    Route("/api/institutions/(?P<id>[0-9]{1,9})/", {"GET": _institution}),
    Route("/api/consents/", {"GET": _list_consents}),
    Route(f"/api/consents/{_ID}/", {"GET": _consent}),
    Route("/api/token/", {"POST": _widget_token}, open=True),
)
