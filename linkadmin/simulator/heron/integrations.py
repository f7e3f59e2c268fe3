"""Heron: the connectors of the account. They are listed, created and changed; no call deletes one."""

from collections.abc import Callable, Mapping
from typing import Any

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import Reply, Request, as_dict, json_reply

from . import bodies
from .records import RESOURCES, HeronIntegration

_RULES: bodies.Rules = {"name": (True, bodies.LONGEST_NAME), "resource": (True, 0), "type": (True, 0)}
_OTHERS: Mapping[str, Callable[[Any], bool]] = {
    "name": lambda value: bool(value),
    "resource": lambda value: value in RESOURCES,
    "base_url": lambda value: value is None or bodies.is_url(value),
    "webhook_url": lambda value: value is None or bodies.is_url(value),
    "client_id": lambda value: value is None or isinstance(value, str),
    "client_secret": lambda value: value is None or isinstance(value, str),
    "client_auth": lambda value: isinstance(value, dict),
}
_WRITE_ONLY = {"client_auth"}


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
        store.save()
        return json_reply(201, {"integration": as_dict(integration)})


def change(store: Store, request: Request) -> Reply:
    with store.lock:
        integration = find(store, request)
        for name, value in _read(request).items():
            setattr(integration, name, value)
        store.save()
        return json_reply(200, {"integration": as_dict(integration)})


def _read(request: Request) -> dict[str, Any]:
    body = bodies.read_inside(request, "integration")
    bodies.check(body, _RULES, envelope="integration", others=_OTHERS)
    return {name: value for name, value in body.items() if name not in _WRITE_ONLY}
