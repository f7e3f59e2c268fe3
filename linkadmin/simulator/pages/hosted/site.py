"""The URLs of the hosted pages: Belvo's are below the names of its hosts. Plain HTML, made for phones."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from linkadmin.simulator.gateway import Gateway
from linkadmin.simulator.plaid import hosted
from linkadmin.simulator.wire import Reply, Request

from . import plaid, portal, widget

PAGES: Mapping[str, Callable[[Gateway, Request, Mapping[str, str]], Reply]] = {
    "/widget.belvo.io/": widget.respond,
    "/meuportal.belvo.com/": portal.respond,
    hosted.PATH: plaid.respond,
}


def respond(gateway: Gateway, request: Request) -> Reply | None:
    """None if the path isn't a hosted page."""
    page = next((page for path, page in PAGES.items() if request.path.startswith(path)), None)
    if page is None:
        return None
    if request.method not in ("GET", "POST"):
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})
    return page(gateway, request, dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)))
