"""Heron: end users: lists, details, changes, and what takes a while with one: its processing and its removal."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from . import heron_bodies as bodies
from .clock import without_zone
from .deferred import PROCESSED_AFTER, REMOVED_AFTER
from .filters import Filter, chosen, passes
from .heron_crowd import customer
from .overlay import Roll
from .records import EndUser
from .state import World
from .wire import Answer, Request, json_answer

PAGE_LIMIT, LARGEST_LIMIT = 1000, 10_000
ORDERS = {f"{field}_{way}": (field, way == "desc") for field in ("last_updated", "created") for way in ("desc", "asc")}
FILTERS = {name: (name, "") for name in ("heron_id", "end_user_id", "name", "status")}


def find(world: World, key: str) -> EndUser:
    """Find an end user by either of its ids, to look at it. Raises Refused."""
    return bodies.found(world.end_user(key), "End user")


def named(world: World, end_user_id: str, name: str | None) -> EndUser:
    """Find an end user to change it, or add one; a name that is given becomes theirs."""
    now = world.now()
    known = world.customers.take(end_user_id)
    user = known or EndUser(end_user_id, created=now, last_updated=now)
    world.customers.keep(end_user_id, user)
    if name:
        user.name = name
    if not known:
        world.tell_of_end_user(end_user_id, "created")
    world.save()
    return user


def list_all(world: World, request: Request) -> Answer:
    field, backwards = ORDERS[bodies.choice(request, "order_by", tuple(ORDERS))]
    page, limit = bodies.count(request, "page", 1, 10**9), bodies.count(request, "limit", PAGE_LIMIT, LARGEST_LIMIT)
    with_sources = request.query.get("include_data_sources", "").lower() == "true"
    with world.lock:
        world.settle()
        roll = _roll(world, chosen(request.query, FILTERS), field)
        rows = roll.page((page - 1) * limit, page * limit, backwards=backwards)
        texts = [_text(world, row, with_sources=with_sources) for row in rows]
    meta = json.dumps(_meta(request, page, limit, len(roll)))
    return Answer(200, f'{{"_meta": {meta}, "end_users": [{", ".join(texts)}]}}'.encode())


def detail(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, {"end_user": _shown(find(world, request.args["user"]))})


def create(world: World, request: Request) -> Answer:
    """Add an end user; of one that is there already it changes what is given."""
    body = _read(request)
    with world.lock:
        return json_answer(201, {"end_user": _written(world, body)})


def change(world: World, request: Request) -> Answer:
    body = _read(request)
    with world.lock:
        find(world, body["end_user_id"])
        return json_answer(200, {"end_user": _written(world, body)})


def processing_status(world: World, request: Request) -> Answer:
    with world.lock:
        user = find(world, request.args["user"])
        return json_answer(200, {"status": "processing" if user.status == "ready" else "processed"})


def remove(world: World, request: Request) -> Answer:
    """Remove at once: the deprecated call."""
    with world.lock:
        world.remove_end_user(find(world, request.args["user"]).end_user_id)
    return Answer(204)


def remove_later(world: World, request: Request) -> Answer:
    """Accept the removal; until it is done the end user is still there."""
    with world.lock:
        user = find(world, request.args["user"])
        world.leaving_users.setdefault(user.end_user_id, world.clock() + REMOVED_AFTER)
        return json_answer(202, {"heron_id": user.heron_id, "status": "pending"})


def _read(request: Request) -> dict[str, Any]:
    body = bodies.read_inside(request, "end_user")
    bodies.check(body, bodies.END_USER_RULES, envelope="end_user", others=bodies.END_USER_OTHERS)
    return body


def _written(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    user = named(world, body["end_user_id"], body.get("name"))
    for name in bodies.END_USER_OTHERS.keys() & body.keys():
        setattr(user, name, body[name])
    user.last_updated = world.now()
    if user.status == "ready":
        world.processing[user.end_user_id] = world.clock() + PROCESSED_AFTER
    return _shown(user)


def _shown(user: EndUser) -> dict[str, Any]:
    shown = asdict(user)
    for name in ("created", "last_updated", "last_processed_at"):
        shown[name] = without_zone(shown[name]) if shown[name] else None
    return shown


def _roll(world: World, wishes: tuple[Filter, ...], field: str) -> Roll[EndUser]:
    crowd = world.crowds.customers
    return Roll(
        crowd.select(wishes),
        world.customers.taken,
        [user for user in world.end_users.values() if passes(user, wishes)],
        lambda user: (getattr(user, field), user.end_user_id),
        crowd.before if field == "created" else crowd.updated_before,
    )


def _text(world: World, row: int | EndUser, *, with_sources: bool) -> str:
    if isinstance(row, int):
        facts = world.crowds.customers.facts(row)
        key, text = facts["end_user_id"], _generated_text(world.crowds.customers.code(row)) % facts
    else:
        key, text = row.end_user_id, json.dumps(_shown(row), ensure_ascii=False)
    if not with_sources:
        return text
    return f'{text[:-1]}, "data_sources": {_briefs(tuple(world.statuses_of(key)))}}}'


@lru_cache(1024)
def _briefs(statuses: tuple[str, ...]) -> str:
    return json.dumps([{"type": "integration_link", "status": status} for status in statuses])


@cache
def _generated_text(code: int) -> str:
    """Write the JSON of a generated end user, open where each has facts of its own: a million are listed so."""
    common = customer(code)
    touched = "%(last_updated).19s"  # as long as without_zone cuts, in both senses
    facts: dict[str, Any] = {name: f"%({name})s" for name in ("end_user_id", "heron_id", "name")}
    facts |= {"created": "%(created).19s", "last_updated": touched}
    facts["last_processed_at"] = None if common.last_processed_at is None else touched
    return json.dumps(_shown(replace(common, **facts)))


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
