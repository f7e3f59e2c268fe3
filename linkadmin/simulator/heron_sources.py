"""Heron: the data sources of an end user. Here each is a link, seen from its data."""

from typing import Any

from . import heron_bodies as bodies
from . import heron_end_users as end_users
from .clock import iso, seconds, without_zone
from .heron_messages import of_source
from .records import HeronLink
from .state import World
from .wire import Answer, Request, json_answer

_SPAN = 90 * 86_400  # seconds of transactions behind the last sync


def list_of_end_user(world: World, request: Request) -> Answer:
    with world.lock:
        user = end_users.find(world, request.args["user"])
        return json_answer(200, [_shown(world, link) for link in world.links_of(user.end_user_id)])


def change(world: World, request: Request) -> Answer:
    body = bodies.read(request)
    bodies.check(body, {}, others={"is_enabled": lambda value: isinstance(value, bool)})
    with world.lock:
        links = world.heron_links.values()
        behind = next((link for link in links if link.data_source_heron_id == request.args["source"]), None)
        link = bodies.found(behind, "Data source")
        if link.source_enabled != body.get("is_enabled", True):
            link.source_enabled = not link.source_enabled
            world.tell_heron(of_source(link))
        world.save()
        return json_answer(200, _shown(world, link))


def _shown(world: World, link: HeronLink) -> dict[str, Any]:
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
            "last_successful_sync": without_zone(synced) if synced else None,
            "sub_type": world.integrations[link.integration].resource,
        },
        "data_source_accounts": [_account(link, synced)] if synced else [],
    }


def _account(link: HeronLink, synced: str) -> dict[str, Any]:
    return {
        "account_id": link.data_source_heron_id[-6:],
        "enabled": link.source_enabled,
        "num_transactions": 120,
        "min_date": iso(seconds(synced) - _SPAN)[:10],
        "max_date": synced[:10],
    }
