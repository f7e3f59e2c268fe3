"""Heron: its own webhooks, one topic each."""

from collections.abc import Callable, Mapping
from typing import Any

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .records import Webhook

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


def list_all(store: Store, request: Request) -> Reply:
    with store.lock:
        return json_reply(200, {"webhooks": [as_dict(webhook) for webhook in store.webhooks.values()]})


def list_topics(store: Store, request: Request) -> Reply:
    return json_reply(200, {"topics": list(TOPICS)})


def create(store: Store, request: Request) -> Reply:
    webhook = Webhook(**_read(request, _CREATE_RULES))
    with store.lock:
        store.webhooks[webhook.heron_id] = webhook
        store.save()
        return json_reply(201, {"webhook": as_dict(webhook)})


def change(store: Store, request: Request) -> Reply:
    with store.lock:
        webhook = _find(store, request)
        for name, value in _read(request, _CHANGE_RULES).items():
            setattr(webhook, name, value)
        store.save()
        return json_reply(200, {"webhook": as_dict(webhook)})


def delete(store: Store, request: Request) -> Reply:
    with store.lock:
        del store.webhooks[_find(store, request).heron_id]
        store.save()
    return Reply(204)


def _find(store: Store, request: Request) -> Webhook:
    return bodies.found(store.webhooks.get(request.args["webhook"]), "Webhook")


def _read(request: Request, rules: bodies.Rules) -> dict[str, Any]:
    body = bodies.read(request)
    bodies.check(body, rules, others=_OTHERS)
    return body
