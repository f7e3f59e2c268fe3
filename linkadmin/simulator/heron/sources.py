"""Heron: the data sources of an end user. Here each is a link, seen from its data."""

from typing import Any

from linkadmin.simulator.clock import iso, seconds, without_zone
from linkadmin.simulator.fields import Field
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, json_reply

from . import bodies, end_users
from .messages import of_source
from .records import HeronLink

_SPAN = 90 * 86_400  # seconds of transactions behind the last sync


def list_of_end_user(store: Store, request: Request) -> Reply:
    with store.lock:
        user = end_users.find(store, request.args["user"])
        return json_reply(200, [_shown(store, link) for link in store.links_of(user.end_user_id)])


def change(store: Store, request: Request) -> Reply:
    body = bodies.read(request, {"is_enabled": Field(bool)})
    with store.lock:
        links = store.heron_links.values()
        behind = next((link for link in links if link.data_source_heron_id == request.args["source"]), None)
        link = bodies.found(behind, "Data source")
        if link.source_enabled != body.get("is_enabled", True):
            link.source_enabled = not link.source_enabled
            store.tell_heron(of_source(link))
        return json_reply(200, _shown(store, link))


def _shown(store: Store, link: HeronLink) -> dict[str, Any]:
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
            "sub_type": store.integrations[link.integration].resource,
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
