"""Heron: its own webhooks, one topic each."""

from collections.abc import Callable, Mapping
from typing import Any

from . import heron_bodies as bodies
from .records import Webhook, as_dict
from .state import World
from .wire import Answer, Request, json_answer

TOPICS = (
    "integration_link.erroring", "data_source.enabled", "data_source.disabled", "end_user.created",
    "end_user.processed", "end_user.failed", "end_user.transactions_updated",
)  # fmt: skip
_CREATE_RULES: bodies.Rules = {"topic": (True, 0), "url": (True, 0)}
_CHANGE_RULES: bodies.Rules = {"topic": (False, 0), "url": (False, 0)}
_OTHERS: Mapping[str, Callable[[Any], bool]] = {
    "topic": lambda value: value in TOPICS,
    "url": lambda value: bodies.is_url(value),
    "is_enabled": lambda value: isinstance(value, bool),
    "headers": lambda value: value is None or bodies.is_texts(value),
}


def list_all(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, {"webhooks": [as_dict(webhook) for webhook in world.webhooks.values()]})


def list_topics(world: World, request: Request) -> Answer:
    return json_answer(200, {"topics": list(TOPICS)})


def create(world: World, request: Request) -> Answer:
    webhook = Webhook(**_read(request, _CREATE_RULES))
    with world.lock:
        world.webhooks[webhook.heron_id] = webhook
        world.save()
        return json_answer(201, {"webhook": as_dict(webhook)})


def change(world: World, request: Request) -> Answer:
    with world.lock:
        webhook = _find(world, request)
        for name, value in _read(request, _CHANGE_RULES).items():
            setattr(webhook, name, value)
        world.save()
        return json_answer(200, {"webhook": as_dict(webhook)})


def delete(world: World, request: Request) -> Answer:
    with world.lock:
        del world.webhooks[_find(world, request).heron_id]
        world.save()
    return Answer(204)


def _find(world: World, request: Request) -> Webhook:
    return bodies.found(world.webhooks.get(request.args["webhook"]), "Webhook")


def _read(request: Request, rules: bodies.Rules) -> dict[str, Any]:
    body = bodies.read(request)
    bodies.check(body, rules, others=_OTHERS)
    return body
