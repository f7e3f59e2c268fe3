"""Heron account: connectors, and webhooks with one topic each."""

from dataclasses import replace
from typing import Any

from linkadmin.simulator.fields import Field
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .records import RESOURCES, HeronIntegration, Webhook

INTEGRATION_RULES = {
    "name": Field(required=True, longest=bodies.LONGEST_NAME, fits=bool),
    "resource": Field(required=True, choices=RESOURCES),
    "type": Field(required=True),
    "base_url": Field(nullable=True, fits=bodies.is_url),
    "webhook_url": Field(nullable=True, fits=bodies.is_url),
    "client_id": Field(nullable=True, blank=True),
    "client_secret": Field(nullable=True, blank=True),
    "client_auth": Field(dict),
}
WRITE_ONLY = {"client_auth"}
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


def find_integration(store: Store, request: Request) -> HeronIntegration:
    return bodies.found(store.integrations.get(request.args["integration"]), "Integration")


def list_integrations(store: Store, request: Request) -> Reply:
    return json_reply(200, {"integrations": [as_dict(each) for each in store.integrations.values()]})


def create_integration(store: Store, request: Request) -> Reply:
    # No call deletes a connector.
    return _store_integration(store, 201, HeronIntegration(**_read_integration(request)))


def change_integration(store: Store, request: Request) -> Reply:
    return _store_integration(store, 200, replace(find_integration(store, request), **_read_integration(request)))


def list_webhooks(store: Store, request: Request) -> Reply:
    return json_reply(200, {"webhooks": [as_dict(webhook) for webhook in store.webhooks.values()]})


def list_topics(store: Store, request: Request) -> Reply:
    return json_reply(200, {"topics": list(TOPICS)})


def create_webhook(store: Store, request: Request) -> Reply:
    return _store_webhook(store, 201, Webhook(**bodies.read(request, CREATE_RULES)))


def change_webhook(store: Store, request: Request) -> Reply:
    return _store_webhook(store, 200, replace(_find_webhook(store, request), **bodies.read(request, CHANGE_RULES)))


def delete_webhook(store: Store, request: Request) -> Reply:
    del store.webhooks[_find_webhook(store, request).heron_id]
    return Reply(204)


def _read_integration(request: Request) -> dict[str, Any]:
    body = bodies.read(request, INTEGRATION_RULES, "integration")
    return {name: value for name, value in body.items() if name not in WRITE_ONLY}


def _store_integration(store: Store, status: int, integration: HeronIntegration) -> Reply:
    store.integrations[integration.heron_id] = integration
    return json_reply(status, {"integration": as_dict(integration)})


def _find_webhook(store: Store, request: Request) -> Webhook:
    return bodies.found(store.webhooks.get(request.args["webhook"]), "Webhook")


def _store_webhook(store: Store, status: int, webhook: Webhook) -> Reply:
    store.webhooks[webhook.heron_id] = webhook
    return json_reply(status, {"webhook": as_dict(webhook)})
