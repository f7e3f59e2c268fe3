"""Heron: links, from their creation to their end."""

from collections.abc import Mapping
from typing import Any

from . import heron_bodies as bodies
from . import heron_end_users as end_users
from . import heron_integrations as integrations
from .drill import Effects, play
from .heron_drill import KNOWN_ITEM, fate_of, token_outcome
from .records import EndUser, HeronLink, Integration, as_dict
from .state import World
from .wire import Answer, Request, json_answer

ASSET_REPORTS = "plaid_assets_report"
ENDED = {"sync_disabled", "deleted_in_plaid"}  # ends: no refresh leads out of them
HIDDEN = {"end_user_id", "integration", "data_source_heron_id", "settles_at", "settles_as", "silent", "source_enabled"}


def create(world: World, request: Request) -> Answer:
    integration = integrations.find(world, request)
    body = bodies.read(request)
    bodies.check(body, bodies.LINK_RULES)

    def act() -> Answer:
        with world.lock:
            if body["item_id"] in world.heron_links:
                raise bodies.refused(409, KNOWN_ITEM)
            end_users.named(world, body["end_user_id"], body.get("end_user_name"))
            link = _new_link(world, integration, body)
            return json_answer(201, {"link": {**_shown(link), "data_source_heron_id": link.data_source_heron_id}})

    return play(token_outcome(body["access_token"]), world.wait, Effects(act, bodies.refusal))


def list_of_integration(world: World, request: Request) -> Answer:
    integration = integrations.find(world, request).heron_id
    with world.lock:
        user = _end_user_of_query(world, request)
        rows = [_shown(link) for link in world.links_of(user.end_user_id) if link.integration == integration]
    return json_answer(200, {"links": rows})


def list_of_end_user(world: World, request: Request) -> Answer:
    with world.lock:
        user = end_users.find(world, request.args["user"])
        return json_answer(200, {"links": [_shown(link) for link in world.links_of(user.end_user_id)]})


def refresh(world: World, request: Request) -> Answer:
    integration = integrations.find(world, request).heron_id
    with world.lock:
        link = _item(world, request.args["item"])
        if link.integration != integration:
            raise bodies.refused(404, "Integration link not found")
        if link.status not in ENDED and not link.settles_at:
            _sync(world, link, link.status if link.status == "erroring" else "active", link.status_message)
        return json_answer(200, {"link": _shown(link)})


def regenerate_reports(world: World, request: Request) -> Answer:
    """Fetch the asset reports anew: of an integration, or of one end user in it. Those that are in trouble fail."""
    integration = integrations.find(world, request).heron_id
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


def replace_token(world: World, request: Request) -> Answer:
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
    return play(token_outcome(body["access_token"]), world.wait, Effects(act, bodies.refusal))


def switch_off(world: World, request: Request) -> Answer:
    integration = integrations.find(world, request).heron_id
    with world.lock:
        for link in world.links_of(_end_user_of_query(world, request).end_user_id):
            if link.integration == integration:
                link.status, link.status_message, link.settles_at = "sync_disabled", None, None
                link.last_updated = world.now()
        world.save()
    return Answer(204)


def _item(world: World, item_id: str) -> HeronLink:
    """Find a link. Raises Refused."""
    return bodies.found(world.heron_links.get(item_id), "Integration link")


def _end_user_of_query(world: World, request: Request) -> EndUser:
    key = request.query.get("end_user_id_or_heron_id")
    if not key:
        raise bodies.refused(422, {"query": {"end_user_id_or_heron_id": ["Missing data for required field."]}})
    return end_users.find(world, key)


def _links_of_query(world: World, request: Request, integration: str) -> list[HeronLink]:
    if "end_user_id_or_heron_id" in request.query:
        return world.links_of(_end_user_of_query(world, request).end_user_id)
    return world.links_in(integration)


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


def _sync(world: World, link: HeronLink, then: str, message: str | None) -> None:
    link.status, link.last_updated = "syncing", world.now()
    world.settle_later(link, then, message)
    world.save()


def _shown(link: HeronLink) -> dict[str, Any]:
    return as_dict(link, HIDDEN)
