"""Heron: end users, their processing and removal in the background, and their data sources.

A data source here is the data side of a link.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from linkadmin.simulator.clock import iso, seconds, without_zone
from linkadmin.simulator.fields import Field, chosen, passes
from linkadmin.simulator.store import PROCESSED_AFTER, REMOVED_AFTER, Store, Task
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .messages import of_source
from .records import HeronEndUser, HeronLink

PAGE_LIMIT, LARGEST_LIMIT = 1000, 10_000
ORDERS = {f"{field}_{way}": (field, way == "desc") for field in ("last_updated", "created") for way in ("desc", "asc")}
FILTERS = {name: (name, "") for name in ("heron_id", "end_user_id", "name", "status")}
MOMENTS = ("created", "last_updated", "last_processed_at")
SOURCE_SPAN = 90 * 86_400  # seconds of transactions before the last sync


def find(store: Store, key: str) -> HeronEndUser:
    return bodies.found(store.end_user(key), "End user")


def named(store: Store, end_user_id: str, name: str | None) -> HeronEndUser:
    now = store.now()
    is_new = end_user_id not in store.end_users
    user = store.end_users.setdefault(end_user_id, HeronEndUser(end_user_id, created=now, last_updated=now))
    user.name = name or user.name
    if is_new:
        store.tell_of_end_user(end_user_id, "created")
    return user


def list_all(store: Store, request: Request) -> Reply:
    field, backwards = ORDERS[bodies.choice(request, "order_by", tuple(ORDERS))]
    page, limit = bodies.count(request, "page", 1, 10**9), bodies.count(request, "limit", PAGE_LIMIT, LARGEST_LIMIT)
    filters = chosen(request.query, FILTERS)
    found = [user for user in store.end_users.values() if passes(user, filters)]
    found.sort(key=attrgetter(field, "end_user_id"), reverse=backwards)
    rows = [_shown(user) for user in found[(page - 1) * limit : page * limit]]
    if request.query.get("include_data_sources", "").lower() == "true":
        for row in rows:
            links = store.links_of(row["end_user_id"])
            row["data_sources"] = [{"type": "integration_link", "status": link.status} for link in links]
    return json_reply(200, {"_meta": _meta(request, page, limit, len(found)), "end_users": rows})


def detail(store: Store, request: Request) -> Reply:
    return json_reply(200, {"end_user": _shown(find(store, request.args["user"]))})


def create(store: Store, request: Request) -> Reply:
    """Add an end user, or change an existing one."""
    return json_reply(201, {"end_user": _written(store, _read(request))})


def change(store: Store, request: Request) -> Reply:
    body = _read(request)
    find(store, body["end_user_id"])
    return json_reply(200, {"end_user": _written(store, body)})


def processing_status(store: Store, request: Request) -> Reply:
    user = find(store, request.args["user"])
    return json_reply(200, {"status": "processing" if user.status == "ready" else "processed"})


def remove(store: Store, request: Request) -> Reply:
    # The deprecated call removes immediately.
    store.remove_end_user(find(store, request.args["user"]).end_user_id)
    return Reply(204)


def remove_later(store: Store, request: Request) -> Reply:
    # The end user still exists until the removal is done.
    user = find(store, request.args["user"])
    store.due.setdefault((Task.REMOVE_END_USER, user.end_user_id), store.clock() + REMOVED_AFTER)
    return json_reply(202, {"heron_id": user.heron_id, "status": "pending"})


def list_sources(store: Store, request: Request) -> Reply:
    user = find(store, request.args["user"])
    return json_reply(200, [_source(store, link) for link in store.links_of(user.end_user_id)])


def change_source(store: Store, request: Request) -> Reply:
    body = bodies.read(request, {"is_enabled": Field(bool)})
    links = store.heron_links.values()
    behind = next((link for link in links if link.data_source_heron_id == request.args["source"]), None)
    link = bodies.found(behind, "Data source")
    if link.source_enabled != body.get("is_enabled", True):
        link.source_enabled = not link.source_enabled
        store.tell_heron(of_source(link))
    return json_reply(200, _source(store, link))


def _read(request: Request) -> dict[str, Any]:
    return bodies.read(request, bodies.END_USER_RULES, "end_user")


def _written(store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    user = named(store, body["end_user_id"], body.get("name"))
    for name in body.keys() - {"end_user_id", "name"}:
        setattr(user, name, body[name])
    user.last_updated = store.now()
    if user.status == "ready":
        store.due[Task.PROCESS, user.end_user_id] = store.clock() + PROCESSED_AFTER
    return _shown(user)


def _shown(user: HeronEndUser) -> dict[str, Any]:
    return as_dict(user) | {name: without_zone(getattr(user, name)) for name in MOMENTS}


def _source(store: Store, link: HeronLink) -> dict[str, Any]:
    synced = link.last_successful_sync
    return {
        "heron_id": link.data_source_heron_id,
        "type": "integration_link",
        "status": link.status,
        "reference_id": link.item_id,
        "is_enabled": link.source_enabled,
        "created": without_zone(link.created),
        "last_updated": without_zone(link.last_updated),
        "metadata": {
            "integration_heron_id": link.integration,
            "integration_item_id": link.item_id,
            "last_successful_sync": without_zone(synced),
            "sub_type": store.integrations[link.integration].resource,
        },
        "data_source_accounts": [_account(link, synced)] if synced else [],
    }


def _account(link: HeronLink, synced: str) -> dict[str, Any]:
    return {
        "account_id": link.data_source_heron_id[-6:],
        "enabled": link.source_enabled,
        "num_transactions": 120,
        "min_date": iso(seconds(synced) - SOURCE_SPAN)[:10],
        "max_date": synced[:10],
    }


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
