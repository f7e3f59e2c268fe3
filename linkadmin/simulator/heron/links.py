"""Heron: links, from their creation to their end."""

from collections.abc import Mapping
from typing import Any

from linkadmin.simulator.outcomes import Effects, play
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies, end_users, integrations
from .guide import KNOWN_ITEM, fate_of, token_outcome
from .records import HeronEndUser, HeronIntegration, HeronLink

ASSET_REPORTS = "plaid_assets_report"
ENDED = {"sync_disabled", "deleted_in_plaid"}  # ends: no refresh leads out of them
HIDDEN = {"end_user_id", "integration", "data_source_heron_id", "settles_at", "settles_as", "silent", "source_enabled"}


def create(store: Store, request: Request) -> Reply:
    integration = integrations.find(store, request)
    body = bodies.read(request, bodies.LINK_RULES)

    def act() -> Reply:
        with store.lock:
            if body["item_id"] in store.heron_links:
                raise bodies.refused(409, KNOWN_ITEM)
            end_users.named(store, body["end_user_id"], body.get("end_user_name"))
            link = _new_link(store, integration, body)
            return json_reply(201, {"link": {**_shown(link), "data_source_heron_id": link.data_source_heron_id}})

    return play(token_outcome(body["access_token"]), store.wait, Effects(act, bodies.refusal))


def list_of_integration(store: Store, request: Request) -> Reply:
    integration = integrations.find(store, request).heron_id
    with store.lock:
        user = _end_user_of_query(store, request)
        rows = [_shown(link) for link in store.links_of(user.end_user_id) if link.integration == integration]
    return json_reply(200, {"links": rows})


def list_of_end_user(store: Store, request: Request) -> Reply:
    with store.lock:
        user = end_users.find(store, request.args["user"])
        return json_reply(200, {"links": [_shown(link) for link in store.links_of(user.end_user_id)]})


def refresh(store: Store, request: Request) -> Reply:
    integration = integrations.find(store, request).heron_id
    with store.lock:
        link = _item(store, request.args["item"])
        if link.integration != integration:
            raise bodies.refused(404, "Integration link not found")
        if link.status not in ENDED and not link.settles_at:
            _sync(store, link, link.status if link.status == "erroring" else "active", link.status_message)
        return json_reply(200, {"link": _shown(link)})


def regenerate_reports(store: Store, request: Request) -> Reply:
    """Fetch the asset reports anew: of an integration, or of one end user in it. Those that are in trouble fail."""
    integration = integrations.find(store, request).heron_id
    with store.lock:
        chosen = _links_of_query(store, request, integration)
        reports = [link for link in chosen if link.integration == integration and link.type == ASSET_REPORTS]
        active = [link for link in reports if link.status == "active"]
        failed = [link.item_id for link in reports if link.status == "erroring"]
        if not active and not failed:
            raise bodies.refused(404, "No asset reports found")
        for link in active:
            _sync(store, link, "active", link.status_message)
        return json_reply(422 if failed else 200, {"failed_links": failed, "processed_links": len(active)})


def replace_token(store: Store, request: Request) -> Reply:
    body = bodies.read(request, bodies.TOKEN_RULES, "end_user")

    def act() -> Reply:
        with store.lock:
            link = _item(store, request.args["item"])
            link.status_message = None
            _sync(store, link, "active", None)
            return json_reply(200, {"integration_link": _shown(link)})

    with store.lock:
        _item(store, request.args["item"])
    return play(token_outcome(body["access_token"]), store.wait, Effects(act, bodies.refusal))


def switch_off(store: Store, request: Request) -> Reply:
    integration = integrations.find(store, request).heron_id
    with store.lock:
        store.switch_off(_end_user_of_query(store, request).end_user_id, integration)
    return Reply(204)


def _item(store: Store, item_id: str) -> HeronLink:
    """Find a link. Raises Refused."""
    return bodies.found(store.heron_links.get(item_id), "Integration link")


def _end_user_of_query(store: Store, request: Request) -> HeronEndUser:
    key = request.query.get("end_user_id_or_heron_id")
    if not key:
        raise bodies.refused(422, {"query": {"end_user_id_or_heron_id": ["Missing data for required field."]}})
    return end_users.find(store, key)


def _links_of_query(store: Store, request: Request, integration: str) -> list[HeronLink]:
    if "end_user_id_or_heron_id" in request.query:
        return store.links_of(_end_user_of_query(store, request).end_user_id)
    return store.links_in(integration)


def _new_link(store: Store, integration: HeronIntegration, body: Mapping[str, Any]) -> HeronLink:
    now = store.now()
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
        store.settle_later(link, fate.status, fate.message)
    store.add_heron_link(link)
    return link


def _sync(store: Store, link: HeronLink, then: str, message: str | None) -> None:
    link.status, link.last_updated = "syncing", store.now()
    store.settle_later(link, then, message)


def _shown(link: HeronLink) -> dict[str, Any]:
    return as_dict(link, HIDDEN)
