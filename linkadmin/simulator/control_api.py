"""Controls of the simulator: faults, settings, drift, time travel, webhooks."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from . import life
from .gateway import Gateway
from .journal import MASK
from .wire import Reply, Request, as_dict, json_reply

SHOWN = 100  # deliveries
WEBHOOKS = {"belvo": {"url", "authorization"}, "heron": {"secret"}, "plaid": {"url"}}


def respond(gateway: Gateway, request: Request) -> Reply | None:
    """None if the path isn't a control."""
    methods = CONTROLS.get(request.path)
    if methods is None:
        return None
    if request.method not in methods:
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(methods)})
    try:
        return methods[request.method](gateway, request)
    except ValueError as error:
        return json_reply(400, {"error": str(error)})


def _json_object(request: Request) -> dict[str, Any]:
    # Other sites' pages can't send this type without a preflight, so they can't use the controls.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("the body must be application/json")
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _numbers(request: Request, *known: str) -> dict[str, Any]:
    body = _json_object(request)
    if unknown := sorted(body.keys() - {"seed", *known}):
        raise ValueError(f"unknown key {unknown[0]!r}; {', '.join(known)} and seed are known")
    if not all(type(value) in (int, float) for value in body.values()) or isinstance(body.get("seed"), float):
        raise ValueError(f"{', '.join(known)} are numbers; seed is a whole number")
    return body


def _show_faults(gateway: Gateway, request: Request) -> Reply:
    return json_reply(200, {"faults": gateway.faults.waiting()})


def _add_fault(gateway: Gateway, request: Request) -> Reply:
    gateway.faults.order(_json_object(request))
    return json_reply(201, {"faults": gateway.faults.waiting()})


def _clear_faults(gateway: Gateway, request: Request) -> Reply:
    gateway.faults.clear()
    return Reply(HTTPStatus.NO_CONTENT)


def _show_settings(gateway: Gateway, request: Request) -> Reply:
    return json_reply(200, {**asdict(gateway.settings), **gateway.limits.counts()})


def _change_settings(gateway: Gateway, request: Request) -> Reply:
    gateway.configure(gateway.settings.changed(_json_object(request)))
    return _show_settings(gateway, request)


def _drift(gateway: Gateway, request: Request) -> Reply:
    return json_reply(200, life.drift(gateway.store, **_numbers(request, "belvo", "heron")))


def _travel(gateway: Gateway, request: Request) -> Reply:
    return json_reply(200, life.travel(gateway.store, **_numbers(request, "hours", "share", "step")))


def _show_webhooks(gateway: Gateway, request: Request) -> Reply:
    store, hidden = gateway.store, {"headers", "pauses"}
    latest = reversed(store.deliveries.all()[-SHOWN:])
    result = {
        "belvo": {"url": store.belvo_url, "authorization": MASK},
        "heron": {"secret": MASK, "subscriptions": len(store.webhooks)},
        "plaid": {"url": store.plaid_url},
        "counts": store.deliveries.counts(),
        "deliveries": [as_dict(each, hidden) | {"body": each.body.decode()} for each in latest],
    }
    return json_reply(200, result)


def _set_webhooks(gateway: Gateway, request: Request) -> Reply:
    body = _json_object(request)
    for provider, given in body.items():
        if provider not in WEBHOOKS or not isinstance(given, dict) or given.keys() - WEBHOOKS[provider]:
            raise ValueError("known are url and authorization of belvo, secret of heron, and url of plaid")
        if not all(isinstance(value, str) for value in given.values()):
            raise ValueError("url, authorization and secret are texts")
    settings = {f"{provider}_{name}": text for provider in body for name, text in body[provider].items()}
    gateway.store.set_webhooks(**settings)
    return _show_webhooks(gateway, request)


CONTROLS: Mapping[str, Mapping[str, Callable[[Gateway, Request], Reply]]] = {
    "/faults.json": {"GET": _show_faults, "POST": _add_fault, "DELETE": _clear_faults},
    "/settings.json": {"GET": _show_settings, "PUT": _change_settings},
    "/drift.json": {"POST": _drift},
    "/time-travel.json": {"POST": _travel},
    "/webhooks.json": {"GET": _show_webhooks, "PUT": _set_webhooks},
}
