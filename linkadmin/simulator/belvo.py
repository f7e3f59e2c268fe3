"""Belvo: who may call what, and everything that needs no bank: lists, details, settings, refresh, delete."""

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from . import belvo_bodies as bodies
from .belvo_bodies import error
from .belvo_logins import find_link, register, resume, shown, update
from .clock import seconds
from .state import BelvoLink, World
from .wire import Answer, Refused, Request, Route, find, json_answer

SECRET_ID, SECRET_PASSWORD = "sandbox-id", "sandbox-password"
REFRESH_PAUSE = 600  # seconds between two refreshes of a link
PAGE_SIZE, LARGEST_PAGE = 100, 1000

_BASIC = "Basic " + base64.b64encode(f"{SECRET_ID}:{SECRET_PASSWORD}".encode()).decode()
_ID = f"(?P<id>{bodies.UUID})"

# The filters of each list: a parameter, the field it looks at, and how it compares.
_COMPARE: dict[str, Callable[[Any, str], bool]] = {
    "": lambda value, text: str(value) == text,
    "in": lambda value, text: str(value) in text.split(","),
    "not_in": lambda value, text: str(value) not in text.split(","),
    "allin": lambda value, text: set(text.split(",")) <= set(value),
    "has": lambda value, text: text.lower() in str(value).lower(),
    "day": lambda value, text: str(value)[: len(text)] == text,
    "gt": lambda value, text: seconds(value) > seconds(text),
    "gte": lambda value, text: seconds(value) >= seconds(text),
    "lt": lambda value, text: seconds(value) < seconds(text),
    "lte": lambda value, text: seconds(value) <= seconds(text),
    "range": lambda value, text: seconds(text.split(",")[0]) <= seconds(value) <= seconds(text.split(",")[-1]),
}
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


def respond(world: World, request: Request) -> Answer:
    """Answer one call to Belvo. Raises ConnectionCut."""
    found = find(ROUTES, request)
    if not found:
        return _not_found()
    route, request = found
    if not route.open and request.headers.get("authorization") != _BASIC:
        return _unauthorised()
    if request.method not in route.methods:
        message = f'Method "{request.method}" not allowed.'
        return json_answer(405, [error("method_not_allowed", message)], {"Allow": ", ".join(route.methods)})
    try:
        return route.methods[request.method](world, request)
    except Refused as refused:
        return refused.answer


def _not_found() -> Answer:
    return json_answer(404, [error("not_found", "Not found.")])


def _unauthorised() -> Answer:
    return json_answer(401, [error("authentication_failed", "Invalid Secret Keys")])


def _probe(world: World, request: Request) -> Answer:
    return json_answer(200, {})


def _page(request: Request, rows: Sequence[Mapping[str, Any]], filters: Mapping[str, tuple[str, str]]) -> Answer:
    chosen = [(*filters[name], text) for name, text in request.query.items() if name in filters]
    try:
        kept = [row for row in rows if all(_COMPARE[how](row[field], text) for field, how, text in chosen)]
        page = max(1, int(request.query.get("page", "1")))
        size = min(LARGEST_PAGE, max(1, int(request.query.get("page_size", PAGE_SIZE))))
    except ValueError:
        raise bodies.bad_request(error("invalid", "Enter a valid value.")) from None
    start, end = (page - 1) * size, page * size
    return json_answer(
        200,
        {
            "count": len(kept),
            "next": _page_url(request, page + 1) if end < len(kept) else None,
            "previous": _page_url(request, page - 1) if page > 1 else None,
            "results": kept[start:end],
        },
    )


def _page_url(request: Request, page: int) -> str:
    return f"{request.origin}{request.path}?{urlencode({**request.query, 'page': page})}"


def _list_links(world: World, request: Request) -> Answer:
    with world.lock:
        rows = [shown(link) for link in world.belvo_links.values()]
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return _page(request, rows, LINK_FILTERS)


def _link(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, shown(find_link(world, request)))


def _change_settings(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.SETTINGS)
    with world.lock:
        link = find_link(world, request)
        bodies.check_resources(world.institutions[link.institution], body.get("fetch_resources", []))
        if body.get("access_mode") == "recurrent" and link.credentials_storage == "nostore":
            message = "This link doesn't have stored credentials hence it can't be switched to recurrent mode"
            raise bodies.bad_request(error("invalid_access_mode_switch", message))
        for name, value in body.items():
            setattr(link, name, value)
        world.save()
        return json_answer(200, shown(link))


def _delete(world: World, request: Request) -> Answer:
    with world.lock:
        link = find_link(world, request)
        del world.belvo_links[link.id]
        world.drop_attempts(link.id)
        world.save()
    if request.headers.get("x-belvo-request-mode") == "async":
        return json_answer(202, {"request_id": secrets.token_hex(16)})
    return Answer(204)


def _refresh(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.REFRESH)
    with world.lock:
        link = find_link(world, request)
        bodies.check_resources(world.institutions[link.institution], body.get("fetch_resources", []))
        _refuse_early_refresh(world, link)
        link.refreshed_at = world.now()
        if link.status == "valid":
            link.last_accessed_at = link.refreshed_at
        world.save()
    return json_answer(202, {"request_id": secrets.token_hex(16)})


def _refuse_early_refresh(world: World, link: BelvoLink) -> None:
    left = seconds(link.refreshed_at) + REFRESH_PAUSE - world.clock() if link.refreshed_at else 0
    if left > 0:
        minutes = int(left // 60) + 1
        message = f"The link has already been refreshed. Please wait {minutes} minutes before trying again."
        raise Refused(json_answer(409, [error("link_refreshed", message)]))


def _list_institutions(world: World, request: Request) -> Answer:
    with world.lock:
        rows = [dict(institution) for institution in world.institutions.values()]
    return _page(request, rows, INSTITUTION_FILTERS)


def _institution(world: World, request: Request) -> Answer:
    wanted = int(request.args["id"])
    with world.lock:
        found = next((bank for bank in world.institutions.values() if bank["id"] == wanted), None)
        return json_answer(200, found) if found else _not_found()


def _widget_token(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.WIDGET)
    if (body["id"], body["password"]) != (SECRET_ID, SECRET_PASSWORD):
        return _unauthorised()
    return json_answer(200, {"access": secrets.token_urlsafe(48), "refresh": secrets.token_urlsafe(48)})


ROUTES = (
    Route("/api/", {"GET": _probe}),
    Route("/api/links/", {"GET": _list_links, "POST": register, "PATCH": resume}),
    Route(f"/api/links/{_ID}/", {"GET": _link, "PUT": update, "PATCH": _change_settings, "DELETE": _delete}),
    Route(f"/api/links/{_ID}/refresh/", {"POST": _refresh}),
    Route("/api/institutions/", {"GET": _list_institutions}),
    Route("/api/institutions/(?P<id>[0-9]{1,9})/", {"GET": _institution}),
    Route("/api/token/", {"POST": _widget_token}, open=True),
)
