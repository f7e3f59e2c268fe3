"""Heron: the connectors of the account. They are listed, created and changed; no call deletes one."""

from collections.abc import Callable, Mapping
from typing import Any

from . import heron_bodies as bodies
from .records import RESOURCES, Integration, as_dict
from .state import World
from .wire import Answer, Request, json_answer

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


def find(world: World, request: Request) -> Integration:
    """Find the integration that the path names. Raises Refused."""
    return bodies.found(world.integrations.get(request.args["integration"]), "Integration")


def list_all(world: World, request: Request) -> Answer:
    with world.lock:
        return json_answer(200, {"integrations": [as_dict(each) for each in world.integrations.values()]})


def create(world: World, request: Request) -> Answer:
    integration = Integration(**_read(request))
    with world.lock:
        world.integrations[integration.heron_id] = integration
        world.save()
        return json_answer(201, {"integration": as_dict(integration)})


def change(world: World, request: Request) -> Answer:
    with world.lock:
        integration = find(world, request)
        for name, value in _read(request).items():
            setattr(integration, name, value)
        world.save()
        return json_answer(200, {"integration": as_dict(integration)})


def _read(request: Request) -> dict[str, Any]:
    body = bodies.read_inside(request, "integration")
    bodies.check(body, _RULES, envelope="integration", others=_OTHERS)
    return {name: value for name, value in body.items() if name not in _WRITE_ONLY}
