"""Heron: integrations, their links, end users, data sources."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from . import heron_bodies as bodies
from .clock import iso, seconds, without_zone
from .drill import Effects, play
from .heron_drill import KNOWN_ITEM, fate_of, token_outcome
from .state import INTEGRATIONS, LINK_TYPES, EndUser, HeronLink, World
from .wire import Answer, Handler, Refused, Request, Route, find, json_answer

API_KEY = "key_sandbox"
PREFIXES = ("/api/hello_world", "/api/integration", "/api/end_users", "/api/data_sources", "/api/webhooks")
CALLS_A_MINUTE = 1000  # shown in every answer, never enforced: only access-429 is refused
PAGE_LIMIT, LARGEST_LIMIT = 1000, 10_000
ENDED = {"sync_disabled", "deleted_in_plaid"}  # ends: no refresh leads out of them
HIDDEN = {"end_user_id", "integration", "data_source_heron_id", "settles_at", "settles_as", "silent"}
ORDERS = {f"{field}_{way}": (field, way == "desc") for field in ("last_updated", "created") for way in ("desc", "asc")}
END_USER_FILTERS = ("heron_id", "end_user_id", "name", "status")


def respond(world: World, request: Request) -> Answer:
    """Answer one call to Heron. Raises ConnectionCut."""
    try:
        answer = _route(world, request)
    except Refused as refused:
        answer = refused.answer
    return replace(answer, headers={**answer.headers, **_rate_headers(world, answer)})


def _route(world: World, request: Request) -> Answer:
    found = find(ROUTES, request)
    if not found:
        raise bodies.refused(404, "The requested URL was not found on the server.")
    route, request = found
    if not route.open and request.headers.get("x-api-key") != API_KEY:
        raise bodies.refused(401, "Missing or invalid API key")
    if request.method not in route.methods:
        allowed = {"Allow": ", ".join(route.methods)}
        return replace(bodies.envelope_of(405, "The method is not allowed for the requested URL."), headers=allowed)
    return route.methods[request.method](world, request)


def _rate_headers(world: World, answer: Answer) -> dict[str, str]:
    now = int(world.clock())
    return {
        "x-ratelimit-limit": str(CALLS_A_MINUTE),
        "x-ratelimit-remaining": "0" if answer.status == HTTPStatus.TOO_MANY_REQUESTS else str(CALLS_A_MINUTE - 1),
        "x-ratelimit-reset": str(now - now % 60 + 60),
    }


def _hello(world: World, request: Request) -> Answer:
    return json_answer(200, {"hello": "world"})


def _list_integrations(world: World, request: Request) -> Answer:
    nothing = dict.fromkeys(("base_url", "client_id", "client_secret", "webhook_url"))
    rows = [{"heron_id": key, "type": "plaid", **about, **nothing} for key, about in INTEGRATIONS.items()]
    return json_answer(200, {"integrations": rows})


def _shown(link: HeronLink) -> dict[str, Any]:
    return {name: value for name, value in asdict(link).items() if name not in HIDDEN}


def _integration(request: Request) -> str:
    if request.args["integration"] not in INTEGRATIONS:
        raise bodies.refused(404, "Integration not found")
    return request.args["integration"]


def _end_user(world: World, key: str) -> EndUser:
    user = world.end_user(key)
    if not user:
        raise bodies.refused(404, "End user not found")
    return user


def _end_user_of_query(world: World, request: Request) -> EndUser:
    key = request.query.get("end_user_id_or_heron_id")
    if not key:
        raise bodies.refused(422, {"query": {"end_user_id_or_heron_id": ["Missing data for required field."]}})
    return _end_user(world, key)


def _item(world: World, item_id: str) -> HeronLink:
    world.settled_links()
    link = world.heron_links.get(item_id)
    if not link:
        raise bodies.refused(404, "Integration link not found")
    return link


def _create_link(world: World, request: Request) -> Answer:
    integration = _integration(request)
    body = bodies.read(request)
    bodies.check(body, bodies.LINK_RULES)

    def act() -> Answer:
        with world.lock:
            if body["item_id"] in world.heron_links:
                raise bodies.refused(409, KNOWN_ITEM)
            _end_user_named(world, body["end_user_id"], body.get("end_user_name"))
            link = _new_link(world, integration, body)
            return json_answer(201, {"link": {**_shown(link), "data_source_heron_id": link.data_source_heron_id}})

    return play(token_outcome(body["access_token"]), world, Effects(act, _never_asks, bodies.refusal))


def _never_asks(_: object) -> Answer:
    raise NotImplementedError("Heron asks for no one-time code")


def _new_link(world: World, integration: str, body: Mapping[str, Any]) -> HeronLink:
    now = world.now()
    link = HeronLink(
        item_id=body["item_id"],
        end_user_id=body["end_user_id"],
        integration=integration,
        status="pending",
        created=now,
        last_updated=now,
        type=LINK_TYPES[INTEGRATIONS[integration]["resource"]],
    )
    fate = fate_of(link.item_id)
    if fate.waits:
        world.settle_later(link, fate.status, fate.message)
    world.heron_links[link.item_id] = link
    world.save()
    return link


def _end_user_named(world: World, end_user_id: str, name: str | None) -> EndUser:
    now = world.now()
    user = world.end_users.setdefault(end_user_id, EndUser(end_user_id, created=now, last_updated=now))
    if name:
        user.name = name
    world.save()
    return user


def _list_integration_links(world: World, request: Request) -> Answer:
    integration = _integration(request)
    with world.lock:
        user = _end_user_of_query(world, request)
        rows = [_shown(link) for link in _links_of(world, user) if link.integration == integration]
    return json_answer(200, {"links": rows})


def _links_of(world: World, user: EndUser) -> list[HeronLink]:
    return [link for link in world.settled_links() if link.end_user_id == user.end_user_id]


def _switch_links_off(world: World, request: Request) -> Answer:
    integration = _integration(request)
    with world.lock:
        for link in _links_of(world, _end_user_of_query(world, request)):
            if link.integration == integration:
                link.status, link.status_message, link.settles_at = "sync_disabled", None, None
                link.last_updated = world.now()
        world.save()
    return Answer(204)


def _refresh_link(world: World, request: Request) -> Answer:
    integration = _integration(request)
    with world.lock:
        link = _item(world, request.args["item"])
        if link.integration != integration:
            raise bodies.refused(404, "Integration link not found")
        if link.status not in ENDED and not link.settles_at:
            _sync(world, link, link.status if link.status == "erroring" else "active", link.status_message)
        return json_answer(200, {"link": _shown(link)})


def _sync(world: World, link: HeronLink, then: str, message: str | None) -> None:
    link.status, link.last_updated = "syncing", world.now()
    world.settle_later(link, then, message)
    world.save()


def _update_token(world: World, request: Request) -> Answer:
    body = bodies.read_inside(request, "end_user")
    bodies.check(body, bodies.TOKEN_RULES, envelope="end_user")

    def act() -> Answer:
        with world.lock:
            link = _item(world, request.args["item"])
            link.status_message = None
            _sync(world, link, "active", None)
            return json_answer(200, {"integration_link": _shown(link)})

    with world.lock:
        _item(world, request.args["item"])
    return play(token_outcome(body["access_token"]), world, Effects(act, _never_asks, bodies.refusal))


def _shown_user(user: EndUser) -> dict[str, Any]:
    shown = asdict(user)
    for name in ("created", "last_updated", "last_processed_at"):
        shown[name] = without_zone(shown[name]) if shown[name] else None
    return shown


def _list_end_users(world: World, request: Request) -> Answer:
    field, backwards = ORDERS[bodies.choice(request, "order_by", tuple(ORDERS))]
    page, limit = bodies.count(request, "page", 1, 10**9), bodies.count(request, "limit", PAGE_LIMIT, LARGEST_LIMIT)
    with_sources = request.query.get("include_data_sources", "").lower() == "true"
    chosen = {name: request.query[name] for name in END_USER_FILTERS if request.query.get(name)}
    with world.lock:
        users = [_shown_user(user) for user in world.end_users.values()]
        briefs = _briefs(world) if with_sources else {}
    users = [user for user in users if all(user[name] == text for name, text in chosen.items())]
    users.sort(key=lambda user: (user[field], user["end_user_id"]), reverse=backwards)
    rows = users[(page - 1) * limit : page * limit]
    if with_sources:
        rows = [{**user, "data_sources": briefs.get(user["end_user_id"], [])} for user in rows]
    return json_answer(200, {"_meta": _meta(request, page, limit, len(users)), "end_users": rows})


def _briefs(world: World) -> dict[str, list[dict[str, str]]]:
    briefs: dict[str, list[dict[str, str]]] = {}
    for link in world.settled_links():
        briefs.setdefault(link.end_user_id, []).append({"type": "integration_link", "status": link.status})
    return briefs


def _meta(request: Request, page: int, limit: int, total: int) -> dict[str, Any]:
    pages = max(1, -(-total // limit))

    def url(number: int) -> str | None:
        query = urlencode({**request.query, "page": number})
        return f"{request.origin}{request.path}?{query}" if 1 <= number <= pages else None

    return {
        "page": page,
        "pages": pages,
        "limit": limit,
        "total": total,
        "next_url": url(page + 1),
        "prev_url": url(page - 1),
    }


def _write_end_user(status: int) -> Handler:
    def handler(world: World, request: Request) -> Answer:
        body = bodies.read_inside(request, "end_user")
        bodies.check(body, bodies.END_USER_RULES, envelope="end_user", others=bodies.END_USER_OTHERS)
        with world.lock:
            if status == HTTPStatus.OK:
                _end_user(world, body["end_user_id"])
            user = _end_user_named(world, body["end_user_id"], body.get("name"))
            for name in bodies.END_USER_OTHERS.keys() & body.keys():
                setattr(user, name, body[name])
            user.last_updated = world.now()
            return json_answer(status, {"end_user": _shown_user(user)})

    return handler


def _one_end_user(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, {"end_user": _shown_user(_end_user(world, request.args["user"]))})


def _end_user_links(world: World, request: Request) -> Answer:
    with world.lock:
        user = _end_user(world, request.args["user"])
        return json_answer(200, {"links": [_shown(link) for link in _links_of(world, user)]})


def _data_sources(world: World, request: Request) -> Answer:
    with world.lock:
        user = _end_user(world, request.args["user"])
        return json_answer(200, [_data_source(link) for link in _links_of(world, user)])


def _data_source(link: HeronLink) -> dict[str, Any]:
    synced = link.last_successful_sync
    account = {"account_id": link.data_source_heron_id[-6:], "enabled": True, "num_transactions": 120}
    span = {"min_date": iso(seconds(synced) - 90 * 86_400)[:10], "max_date": synced[:10]} if synced else {}
    return {
        "heron_id": link.data_source_heron_id,
        "type": "integration_link",
        "status": link.status,
        "reference_id": link.item_id,
        "is_enabled": True,
        "created": without_zone(link.created),
        "last_updated": without_zone(link.last_updated),
        "metadata": {
            "integration_heron_id": link.integration,
            "integration_item_id": link.item_id,
            "last_successful_sync": without_zone(synced) if synced else None,
            "sub_type": INTEGRATIONS[link.integration]["resource"],
        },
        "data_source_accounts": [{**account, **span}] if synced else [],
    }


_LINKS = "/api/integrations/(?P<integration>[^/]+)/links"
_USER = "/api/end_users/(?P<user>[^/]+)"
ROUTES = (
    Route("/api/hello_world", {"GET": _hello}, open=True),
    Route("/api/hello_world/authenticated", {"GET": _hello}),
    Route("/api/integrations", {"GET": _list_integrations}),
    Route(_LINKS, {"GET": _list_integration_links, "POST": _create_link, "DELETE": _switch_links_off}),
    Route(f"{_LINKS}/(?P<item>[^/]+)/refresh", {"POST": _refresh_link}),
    Route("/api/integration_links/(?P<item>[^/]+)", {"PUT": _update_token}),
    Route("/api/end_users", {"GET": _list_end_users, "POST": _write_end_user(201), "PUT": _write_end_user(200)}),
    Route(_USER, {"GET": _one_end_user}),
    Route(f"{_USER}/integration_links", {"GET": _end_user_links}),
    Route(f"{_USER}/data_sources", {"GET": _data_sources}),
)
