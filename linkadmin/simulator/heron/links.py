"""Heron: links, from creation to removal."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from linkadmin.simulator.outcomes import OutcomeHandlers, play
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Later, Reply, Request, as_dict, json_reply

from . import bodies, end_users
from .account import find_integration
from .guide import KNOWN_ITEM, item_prefix_of, token_outcome
from .records import HeronEndUser, HeronIntegration, HeronLink

USER_KEY = "end_user_id_or_heron_id"
ASSET_REPORTS = "plaid_assets_report"
ENDED = {"sync_disabled", "deleted_in_plaid"}  # final statuses: a refresh can't change them
HIDDEN = {
    "end_user_id",
    "integration",
    "data_source_heron_id",
    "settles_at",
    "settles_as",
    "silent",
    "source_enabled",
    "is_repaired",
}


def create(store: Store, request: Request) -> Later:
    integration = find_integration(store, request)
    body = bodies.read(request, bodies.LINK_RULES)

    def act() -> Reply:
        with store.lock:
            if body["item_id"] in store.heron_links:
                raise bodies.refused(409, KNOWN_ITEM)
            end_users.named(store, body["end_user_id"], body.get("end_user_name"))
            link = _new_link(store, integration, body)
            return json_reply(201, {"link": {**_shown(link), "data_source_heron_id": link.data_source_heron_id}})

    return partial(play, token_outcome(body["access_token"]), store.wait, OutcomeHandlers(act, bodies.refusal))


def list_of_integration(store: Store, request: Request) -> Reply:
    integration = find_integration(store, request).heron_id
    links = _links_of_query(store, request)
    return json_reply(200, {"links": [_shown(link) for link in links if link.integration == integration]})


def list_of_end_user(store: Store, request: Request) -> Reply:
    user = end_users.find(store, request.args["user"])
    return json_reply(200, {"links": [_shown(link) for link in store.links_of(user.end_user_id)]})


def refresh(store: Store, request: Request) -> Reply:
    integration = find_integration(store, request).heron_id
    link = _item(store, request)
    if link.integration != integration:
        raise bodies.refused(404, "Integration link not found")
    if link.status not in ENDED and not link.settles_at:
        if link.is_repaired:
            link.is_repaired = False
            _sync(store, link, "active", None)
        else:
            _sync(store, link, link.status if link.status == "erroring" else "active", link.status_message)
    return json_reply(200, {"link": _shown(link)})


def regenerate_reports(store: Store, request: Request) -> Reply:
    integration = find_integration(store, request).heron_id
    links = _links_of_query(store, request) if USER_KEY in request.query else store.heron_links.values()
    reports = [link for link in links if link.integration == integration and link.type == ASSET_REPORTS]
    active = [link for link in reports if link.status == "active"]
    failed = [link.item_id for link in reports if link.status == "erroring"]
    if not active and not failed:
        raise bodies.refused(404, "No asset reports found")
    for link in active:
        _sync(store, link, "active", link.status_message)
    return json_reply(422 if failed else 200, {"failed_links": failed, "processed_links": len(active)})


def replace_token(store: Store, request: Request) -> Later:
    body = bodies.read(request, bodies.TOKEN_RULES, "end_user")
    _item(store, request)

    def act() -> Reply:
        with store.lock:
            link = _item(store, request)
            link.status_message = None
            _sync(store, link, "active", None)
            return json_reply(200, {"integration_link": _shown(link)})

    return partial(play, token_outcome(body["access_token"]), store.wait, OutcomeHandlers(act, bodies.refusal))


def switch_off(store: Store, request: Request) -> Reply:
    integration = find_integration(store, request).heron_id
    store.switch_off(_end_user_of_query(store, request).end_user_id, integration)
    return Reply(204)


def _item(store: Store, request: Request) -> HeronLink:
    return bodies.found(store.heron_links.get(request.args["item"]), "Integration link")


def _end_user_of_query(store: Store, request: Request) -> HeronEndUser:
    key = request.query.get(USER_KEY)
    if not key:
        raise bodies.refused(422, {"query": {USER_KEY: ["Missing data for required field."]}})
    return end_users.find(store, key)


def _links_of_query(store: Store, request: Request) -> list[HeronLink]:
    return store.links_of(_end_user_of_query(store, request).end_user_id)


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
    item_prefix = item_prefix_of(link.item_id)
    if item_prefix.waits:
        store.change_status_later(link, item_prefix.status, item_prefix.message)
    store.add_heron_link(link)
    return link


def _sync(store: Store, link: HeronLink, then: str, message: str | None) -> None:
    link.status, link.last_updated = "syncing", store.now()
    store.change_status_later(link, then, message)


def _shown(link: HeronLink) -> dict[str, Any]:
    return as_dict(link, HIDDEN)
