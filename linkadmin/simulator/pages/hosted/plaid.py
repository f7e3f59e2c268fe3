"""Plaid's hosted Link as a page: a choice of how the visit ends."""

from collections.abc import Mapping
from http import HTTPStatus

from linkadmin.simulator.gateway import Gateway
from linkadmin.simulator.pages.rendering import html, see_other
from linkadmin.simulator.plaid import hosted
from linkadmin.simulator.wire import Reply, Request

from .words import page_in


def respond(gateway: Gateway, request: Request, form: Mapping[str, str]) -> Reply:
    store, page = gateway.store, page_in("en", "Plaid")
    with store.lock:
        found = hosted.find(store, request)
        context = page | hosted.context(store, found)
        if found is None or context["token"] is None:
            return html(page["say"]["expired"], "hosted/plaid.html", context, HTTPStatus.GONE)
        if request.method == "POST":
            return see_other(hosted.leave(store, found, form.get("outcome", "")))
        hosted.visit(store, found)
        return html("Link", "hosted/plaid.html", context)
