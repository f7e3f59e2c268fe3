"""Heron: its own webhooks, one topic each."""

from dataclasses import replace

from linkadmin.simulator.fields import Field
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .records import Webhook

TOPICS = (
    "integration_link.erroring", "data_source.enabled", "data_source.disabled", "end_user.created",
    "end_user.processed", "end_user.failed", "end_user.transactions_updated",
)  # fmt: skip
CHANGE_RULES = {
    "topic": Field(choices=TOPICS),
    "url": Field(fits=bodies.is_url),
    "is_enabled": Field(bool),
    "headers": Field(dict, nullable=True, fits=bodies.is_texts),
}
CREATE_RULES = CHANGE_RULES | {name: replace(CHANGE_RULES[name], required=True) for name in ("topic", "url")}


def list_all(store: Store, request: Request) -> Reply:
    with store.lock:
        return json_reply(200, {"webhooks": [as_dict(webhook) for webhook in store.webhooks.values()]})


def list_topics(store: Store, request: Request) -> Reply:
    return json_reply(200, {"topics": list(TOPICS)})


def create(store: Store, request: Request) -> Reply:
    webhook = Webhook(**bodies.read(request, CREATE_RULES))
    with store.lock:
        store.webhooks[webhook.heron_id] = webhook
        return json_reply(201, {"webhook": as_dict(webhook)})


def change(store: Store, request: Request) -> Reply:
    with store.lock:
        webhook = _find(store, request)
        for name, value in bodies.read(request, CHANGE_RULES).items():
            setattr(webhook, name, value)
        return json_reply(200, {"webhook": as_dict(webhook)})


def delete(store: Store, request: Request) -> Reply:
    with store.lock:
        del store.webhooks[_find(store, request).heron_id]
    return Reply(204)


def _find(store: Store, request: Request) -> Webhook:
    return bodies.found(store.webhooks.get(request.args["webhook"]), "Webhook")
