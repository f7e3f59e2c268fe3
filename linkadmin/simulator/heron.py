"""Heron: links and end users, and where every call of it is answered."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from . import heron_bodies as bodies
from . import heron_customers, heron_integrations, heron_sources, heron_webhooks
from .clock import without_zone
from .drill import Effects, play
from .filters import Filter, chosen, passes
from .heron_crowd import customer
from .heron_drill import KNOWN_ITEM, fate_of, token_outcome
from .overlay import Roll
from .passing import PROCESSED_AFTER
from .records import Integration
from .state import EndUser, HeronLink, World
from .wire import Answer, Handler, Refused, Request, Route, find, json_answer

API_KEY = "key_sandbox"
PREFIXES = ("/api/hello_world", "/api/integration", "/api/end_users", "/api/data_sources", "/api/webhooks")
PAGE_LIMIT, LARGEST_LIMIT = 1000, 10_000
ASSET_REPORTS = "plaid_assets_report"
ENDED = {"sync_disabled", "deleted_in_plaid"}  # ends: no refresh leads out of them
HIDDEN = {"end_user_id", "integration", "data_source_heron_id", "settles_at", "settles_as", "silent", "source_enabled"}
ORDERS = {f"{field}_{way}": (field, way == "desc") for field in ("last_updated", "created") for way in ("desc", "asc")}
END_USER_FILTERS = {name: (name, "") for name in ("heron_id", "end_user_id", "name", "status")}


def respond(world: World, request: Request) -> Answer:
    """Answer one call to Heron. Raises ConnectionCut."""
    try:
        return _route(world, request)
    except Refused as refused:
        return refused.answer


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


def _hello(world: World, request: Request) -> Answer:
    return json_answer(200, {"hello": "world"})


def _shown(link: HeronLink) -> dict[str, Any]:
    return {name: value for name, value in asdict(link).items() if name not in HIDDEN}


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
    world.settle()
    link = world.items.take(item_id)
    if not link:
        raise bodies.refused(404, "Integration link not found")
    return link


def _create_link(world: World, request: Request) -> Answer:
    integration = heron_integrations.find(world, request)
    body = bodies.read(request)
    bodies.check(body, bodies.LINK_RULES)

    def act() -> Answer:
        with world.lock:
            if world.items.find(body["item_id"]):
                raise bodies.refused(409, KNOWN_ITEM)
            _end_user_named(world, body["end_user_id"], body.get("end_user_name"))
            link = _new_link(world, integration, body)
            return json_answer(201, {"link": {**_shown(link), "data_source_heron_id": link.data_source_heron_id}})

    return play(token_outcome(body["access_token"]), world, Effects(act, _never_asks, bodies.refusal))


def _never_asks(_: object) -> Answer:
    raise NotImplementedError("Heron asks for no one-time code")


def _new_link(world: World, integration: Integration, body: Mapping[str, Any]) -> HeronLink:
    now = world.now()
    link = HeronLink(
        item_id=body["item_id"],
        end_user_id=body["end_user_id"],
        integration=integration.heron_id,
        status="pending",
        created=now,
        last_updated=now,
        type=integration.link_type,
    )
    fate = fate_of(link.item_id)
    if fate.waits:
        world.settle_later(link, fate.status, fate.message)
    world.add_heron_link(link)
    world.save()
    return link


def _end_user_named(world: World, end_user_id: str, name: str | None) -> EndUser:
    now = world.now()
    user = world.customers.take(end_user_id) or EndUser(end_user_id, created=now, last_updated=now)
    world.customers.keep(end_user_id, user)
    if name:
        user.name = name
    world.save()
    return user


def _list_integration_links(world: World, request: Request) -> Answer:
    integration = heron_integrations.find(world, request).heron_id
    with world.lock:
        user = _end_user_of_query(world, request)
        rows = [_shown(link) for link in world.links_of(user.end_user_id) if link.integration == integration]
    return json_answer(200, {"links": rows})


def _refresh_reports(world: World, request: Request) -> Answer:
    """Fetch the asset reports anew: of an integration, or of one end user in it. Those that are in trouble fail."""
    integration = heron_integrations.find(world, request).heron_id
    with world.lock:
        chosen = _links_of_query(world, request, integration)
        reports = [link for link in chosen if link.integration == integration and link.type == ASSET_REPORTS]
        active = [link for link in reports if link.status == "active"]
        failed = [link.item_id for link in reports if link.status == "erroring"]
        if not active and not failed:
            raise bodies.refused(404, "No asset reports found")
        for link in active:
            _sync(world, link, "active", link.status_message)
        return json_answer(422 if failed else 200, {"failed_links": failed, "processed_links": len(active)})


def _links_of_query(world: World, request: Request, integration: str) -> list[HeronLink]:
    if "end_user_id_or_heron_id" in request.query:
        return world.take_links_of(_end_user_of_query(world, request).end_user_id)
    return world.take_links_in(integration)


def _switch_links_off(world: World, request: Request) -> Answer:
    integration = heron_integrations.find(world, request).heron_id
    with world.lock:
        for link in world.take_links_of(_end_user_of_query(world, request).end_user_id):
            if link.integration == integration:
                link.status, link.status_message, link.settles_at = "sync_disabled", None, None
                link.last_updated = world.now()
        world.save()
    return Answer(204)


def _refresh_link(world: World, request: Request) -> Answer:
    integration = heron_integrations.find(world, request).heron_id
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
    with world.lock:
        world.settle()
        roll = _end_users(world, chosen(request.query, END_USER_FILTERS), field)
        rows = roll.page((page - 1) * limit, page * limit, backwards=backwards)
        texts = [_end_user_text(world, row, with_sources=with_sources) for row in rows]
    meta = json.dumps(_meta(request, page, limit, len(roll)))
    return Answer(200, f'{{"_meta": {meta}, "end_users": [{", ".join(texts)}]}}'.encode())


def _end_users(world: World, wishes: tuple[Filter, ...], field: str) -> Roll[EndUser]:
    crowd = world.crowds.customers
    return Roll(
        crowd.select(wishes),
        world.customers.taken,
        [user for user in world.end_users.values() if passes(user, wishes)],
        lambda user: (getattr(user, field), user.end_user_id),
        crowd.before if field == "created" else crowd.updated_before,
    )


def _end_user_text(world: World, row: int | EndUser, *, with_sources: bool) -> str:
    if isinstance(row, int):
        facts = world.crowds.customers.facts(row)
        key, text = facts["end_user_id"], _customer_text(world.crowds.customers.code(row)) % facts
    else:
        key, text = row.end_user_id, json.dumps(_shown_user(row), ensure_ascii=False)
    if not with_sources:
        return text
    return f'{text[:-1]}, "data_sources": {_briefs(tuple(world.statuses_of(key)))}}}'


@lru_cache(1024)
def _briefs(statuses: tuple[str, ...]) -> str:
    return json.dumps([{"type": "integration_link", "status": status} for status in statuses])


@cache
def _customer_text(code: int) -> str:
    """Write the JSON of a generated end user, open where each has facts of its own: a million are listed so."""
    common = customer(code)
    touched = "%(last_updated).19s"  # as long as without_zone cuts, in both senses
    facts: dict[str, Any] = {name: f"%({name})s" for name in ("end_user_id", "heron_id", "name")}
    facts |= {"created": "%(created).19s", "last_updated": touched}
    facts["last_processed_at"] = None if common.last_processed_at is None else touched
    return json.dumps(_shown_user(replace(common, **facts)))


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
            if user.status == "ready":
                world.processing[user.end_user_id] = world.clock() + PROCESSED_AFTER
            return json_answer(status, {"end_user": _shown_user(user)})

    return handler


def _one_end_user(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, {"end_user": _shown_user(_end_user(world, request.args["user"]))})


def _end_user_links(world: World, request: Request) -> Answer:
    with world.lock:
        user = _end_user(world, request.args["user"])
        return json_answer(200, {"links": [_shown(link) for link in world.links_of(user.end_user_id)]})


_LINKS = "/api/integrations/(?P<integration>[^/]+)/links"
_USER = "/api/end_users/(?P<user>[^/]+)"
ROUTES = (
    Route("/api/hello_world", {"GET": _hello}, open=True),
    Route("/api/hello_world/authenticated", {"GET": _hello}),
    Route("/api/integrations", {"GET": heron_integrations.list_all, "POST": heron_integrations.create}),
    Route("/api/integrations/(?P<integration>[^/]+)", {"PUT": heron_integrations.change}),
    Route(
        _LINKS,
        {
            "GET": _list_integration_links,
            "POST": _create_link,
            "PUT": _refresh_reports,
            "DELETE": _switch_links_off,
        },
    ),
    Route(f"{_LINKS}/(?P<item>[^/]+)/refresh", {"POST": _refresh_link}),
    Route("/api/integration_links/(?P<item>[^/]+)", {"PUT": _update_token}),
    Route("/api/end_users", {"GET": _list_end_users, "POST": _write_end_user(201), "PUT": _write_end_user(200)}),
    Route(_USER, {"GET": _one_end_user, "DELETE": heron_customers.remove}),
    Route(f"{_USER}/delete", {"POST": heron_customers.remove_later}),
    Route(f"{_USER}/processing_status", {"GET": heron_customers.processing_status}),
    Route(f"{_USER}/integration_links", {"GET": _end_user_links}),
    Route(f"{_USER}/data_sources", {"GET": heron_sources.list_of_end_user}),
    Route("/api/data_sources/(?P<source>[^/]+)", {"PUT": heron_sources.change}),
    Route("/api/webhooks", {"GET": heron_webhooks.list_all, "POST": heron_webhooks.create}),
    Route("/api/webhooks/topics", {"GET": heron_webhooks.list_topics}),
    Route("/api/webhooks/(?P<webhook>[^/]+)", {"PUT": heron_webhooks.change, "DELETE": heron_webhooks.delete}),
)
