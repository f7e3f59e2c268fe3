"""Renders a template as a page of the simulator. No page runs scripts."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from linkadmin.simulator.wire import Reply

FOLDER = Path(__file__).parent
TEMPLATES = Engine(dirs=[str(FOLDER)])
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # URLs of the hosted pages are secret
}


def html(title: str, template: str, context: dict[str, Any], status: int = 200) -> Reply:
    page = TEMPLATES.render_to_string(template, Context({"title": title, **context}, use_l10n=False))
    return Reply(status, page.encode(), "text/html; charset=utf-8", HEADERS)


def see_other(url: str) -> Reply:
    return Reply(HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": url})
