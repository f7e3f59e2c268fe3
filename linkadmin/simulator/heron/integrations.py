"""Heron: the connectors of the account. They are listed, created and changed; no call deletes one."""

from typing import Any

from linkadmin.simulator.fields import Field
from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .records import RESOURCES, HeronIntegration

RULES = {
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


def find(store: Store, request: Request) -> HeronIntegration:
    """Find the integration that the path names. Raises Refused."""
    return bodies.found(store.integrations.get(request.args["integration"]), "Integration")


def list_all(store: Store, request: Request) -> Reply:
    with store.lock:
        return json_reply(200, {"integrations": [as_dict(each) for each in store.integrations.values()]})


def create(store: Store, request: Request) -> Reply:
    integration = HeronIntegration(**_read(request))
    with store.lock:
        store.integrations[integration.heron_id] = integration
        return json_reply(201, {"integration": as_dict(integration)})


def change(store: Store, request: Request) -> Reply:
    with store.lock:
        integration = find(store, request)
        for name, value in _read(request).items():
            setattr(integration, name, value)
        return json_reply(200, {"integration": as_dict(integration)})


def _read(request: Request) -> dict[str, Any]:
    body = bodies.read(request, RULES, "integration")
    return {name: value for name, value in body.items() if name not in WRITE_ONLY}
