"""The levers of the simulator: faults on request, conduct, changes nobody asked for, hours that pass, webhooks."""

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from . import living, stirring, webhook_settings
from .gateway import Gateway
from .wire import Answer, Request, json_answer


def respond(gateway: Gateway, request: Request) -> Answer | None:
    """Answer whoever pulls a lever; None when the path is none."""
    levers: dict[str, dict[str, Callable[[Gateway, Request], Answer]]] = {
        "/faults.json": {"GET": _waiting, "POST": _order, "DELETE": _clear},
        "/conduct.json": {"GET": _conduct, "PUT": _change},
        "/stir.json": {"POST": _stir},
        "/live.json": {"POST": _live},
        "/webhooks.json": {"GET": _webhooks, "PUT": _set_webhooks},
    }
    methods = levers.get(request.path)
    if methods is None:
        return None
    if request.method not in methods:
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(methods)})
    try:
        return methods[request.method](gateway, request)
    except ValueError as error:
        return json_answer(400, {"error": str(error)})


def _wish(request: Request) -> dict[str, Any]:
    # Only a page of our own may send this type, so that no other page a browser shows can pull a lever.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("the body must be of the type application/json")
    wish = request.json()
    if not isinstance(wish, dict):
        raise ValueError("the body must be a JSON object")
    return wish


def _waiting(gateway: Gateway, request: Request) -> Answer:
    return json_answer(200, {"faults": gateway.faults.waiting()})


def _order(gateway: Gateway, request: Request) -> Answer:
    gateway.faults.order(_wish(request))
    return json_answer(201, {"faults": gateway.faults.waiting()})


def _clear(gateway: Gateway, request: Request) -> Answer:
    gateway.faults.clear()
    return Answer(HTTPStatus.NO_CONTENT)


def _conduct(gateway: Gateway, request: Request) -> Answer:
    limits = gateway.limits
    return json_answer(200, {**asdict(gateway.conduct), "peak": limits.peak(), "refused": limits.refused()})


def _change(gateway: Gateway, request: Request) -> Answer:
    gateway.behave(gateway.conduct.changed(_wish(request)))
    return _conduct(gateway, request)


def _stir(gateway: Gateway, request: Request) -> Answer:
    return json_answer(200, stirring.order(gateway.world, _wish(request)))


def _live(gateway: Gateway, request: Request) -> Answer:
    return json_answer(200, living.order(gateway.world, _wish(request)))


def _webhooks(gateway: Gateway, request: Request) -> Answer:
    return json_answer(200, webhook_settings.shown(gateway.world))


def _set_webhooks(gateway: Gateway, request: Request) -> Answer:
    webhook_settings.order(gateway.world, _wish(request))
    return _webhooks(gateway, request)
