"""Belvo: who may call what, and everything that needs no bank: lists, details, settings, refresh, delete."""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from . import belvo_bodies as bodies
from . import belvo_consents as consents
from . import belvo_messages as messages
from .belvo_bodies import error
from .belvo_crowd import Traits, prototype
from .belvo_logins import find_link, register, resume, shown, update
from .clock import seconds
from .deferred import REMOVED_AFTER
from .filters import Filter, Rules, chosen, passes
from .overlay import Roll
from .records import BelvoLink
from .routes import Route, find
from .state import World
from .wire import Answer, Refused, Request, json_answer

SECRET_ID, SECRET_PASSWORD = "sandbox-id", "sandbox-password"
REFRESH_PAUSE = 600  # seconds between two refreshes of a link
PAGE_SIZE, LARGEST_PAGE = 100, 1000

_BASIC = "Basic " + base64.b64encode(f"{SECRET_ID}:{SECRET_PASSWORD}".encode()).decode()
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
        return bodies.trimmed(route.methods[request.method](world, request), request)
    except Refused as refused:
        return refused.answer


def _not_found() -> Answer:
    return json_answer(404, [error("not_found", "Not found.")])


def _unauthorised() -> Answer:
    return json_answer(401, [error("authentication_failed", "Invalid Secret Keys")])


def _probe(world: World, request: Request) -> Answer:
    return json_answer(200, {})


def _page(request: Request, rows: Sequence[Mapping[str, Any]], filters: Rules) -> Answer:
    wishes = chosen(request.query, filters)
    try:
        kept = [row for row in rows if all(wish.passes(row[wish.field]) for wish in wishes)]
        start, end = _bounds(request)
    except ValueError:
        raise _wrong_value() from None
    return _listing(request, len(kept), end, (json.dumps(row, ensure_ascii=False) for row in kept[start:end]))


def _bounds(request: Request) -> tuple[int, int]:
    """Return where the page begins and ends. Raises ValueError."""
    page = max(1, int(request.query.get("page", "1")))
    size = min(LARGEST_PAGE, max(1, int(request.query.get("page_size", PAGE_SIZE))))
    return (page - 1) * size, page * size


def _wrong_value() -> Refused:
    return bodies.bad_request(error("invalid", "Enter a valid value."))


def _listing(request: Request, count: int, end: int, rows: Iterable[str]) -> Answer:
    page = max(1, int(request.query.get("page", "1")))
    following = _page_url(request, page + 1) if end < count else None
    previous = _page_url(request, page - 1) if page > 1 else None
    head = json.dumps({"count": count, "next": following, "previous": previous})
    return Answer(200, f'{head[:-1]}, "results": [{", ".join(rows)}]}}'.encode())


def _page_url(request: Request, page: int) -> str:
    return f"{request.origin}{request.path}?{urlencode({**request.query, 'page': page})}"


def _list_links(world: World, request: Request) -> Answer:
    wishes = chosen(request.query, LINK_FILTERS)
    with world.lock:
        try:
            roll = _filtered(world, wishes) if wishes else world.links.in_place(_by_age)
            start, end = _bounds(request)
        except ValueError:
            raise _wrong_value() from None
        return _listing(request, len(roll), end, [_text(world, row) for row in roll.page(start, end, backwards=True)])


def _by_age(link: BelvoLink) -> tuple[str, str]:
    return link.created_at, link.id


def _filtered(world: World, wishes: tuple[Filter, ...]) -> Roll[BelvoLink]:
    kept = [link for link in world.belvo_links.values() if passes(link, wishes)]
    crowd = world.crowds.links
    return Roll(crowd.select(wishes), world.links.taken, kept, _by_age, crowd.before)


def _text(world: World, row: int | BelvoLink) -> str:
    link = world.links.kept(row)
    if not isinstance(link, int):
        return json.dumps(shown(link), ensure_ascii=False)
    traits = world.crowds.links.traits(link)
    return _generated_text(traits) % world.crowds.links.facts(link, traits)


@cache
def _generated_text(traits: Traits) -> str:
    """Write the JSON of a generated link, open where each has facts of its own: a million are listed so."""
    common = prototype(traits)
    names = ["id", "external_id", "institution_user_id", "created_at"]
    names += [] if common.status == "unconfirmed" else ["last_accessed_at"]
    open_ones: dict[str, Any] = {name: f"%({name})s" for name in names}
    return json.dumps(shown(replace(common, **open_ones)))


def _link(world: World, request: Request) -> Answer:
    with world.lock:
        link = world.links.find(request.args["id"])
        return json_answer(200, shown(link)) if link else _not_found()


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
        if request.headers.get("x-belvo-request-mode") == "async":
            world.leaving_links.setdefault(link.id, world.clock() + REMOVED_AFTER)
            return json_answer(202, {"request_id": world.removals.setdefault(link.id, secrets.token_hex(16))})
        world.remove_belvo_link(link.id)
    return Answer(204)


def _refresh(world: World, request: Request) -> Answer:
    body = bodies.read(request, bodies.REFRESH)
    with world.lock:
        link = find_link(world, request)
        bodies.check_resources(world.institutions[link.institution], body.get("fetch_resources", []))
        _refuse_early_refresh(world, link)
        link.refreshed_at = world.now()
        request_id = secrets.token_hex(16)
        if link.status == "valid":
            link.last_accessed_at = link.refreshed_at
            world.tell_belvo(*messages.loaded(link, world.bank(link), request_id))
        else:
            world.tell_belvo(*messages.refused(link, messages.HISTORICAL, request_id))
        world.save()
    return json_answer(202, {"request_id": request_id})


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


def _list_consents(world: World, request: Request) -> Answer:
    try:
        start, end = _bounds(request)
    except ValueError:
        raise _wrong_value() from None
    with world.lock:
        count, rows = consents.listed(world, chosen(request.query, consents.FILTERS), start, end)
    return _listing(request, count, end, map(json.dumps, rows))


def _consent(world: World, request: Request) -> Answer:
    with world.lock:
        found = consents.find(world, request.args["id"])
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
    Route("/api/consents/", {"GET": _list_consents}),
    Route(f"/api/consents/{_ID}/", {"GET": _consent}),
    Route("/api/token/", {"POST": _widget_token}, open=True),
)
