"""The bar for integrations that can't be used, and what an open page polls."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django import template
from django.template import Context

from linkadmin.heartbeats import watch
from linkadmin.integrations.alerts import alerts
from linkadmin.links.views.live import alerts_version, as_shown, concerned, follow_mark

register = template.Library()


@register.inclusion_tag("partials/_live.html", takes_context=True)
def live_page(context: Context) -> dict[str, Any]:
    """Views of pages that await something provide a `page_version`."""
    page: dict[str, Any] = dict(context.flatten())  # type: ignore[arg-type]  # its names are texts
    of = concerned(page)
    return {
        "alerts": page["integration_alerts"] if "integration_alerts" in page else alerts(of),
        "stopped": watch.words() if page.get("rights") else "",
        "is_of_one": of is not None and len(of) == 1,
        "rights": page.get("rights", frozenset()),
        **_polled(page, of),
    }


@register.inclusion_tag("partials/_live_here.html", takes_context=True)
def live_here(context: Context) -> dict[str, Any]:
    """For a part with which the page's URL changes."""
    page: dict[str, Any] = dict(context.flatten())  # type: ignore[arg-type]  # its names are texts
    return {**_polled(page, None), "is_beside_part": True}


def _polled(page: dict[str, Any], of: list[UUID] | None) -> dict[str, Any]:
    page_version = page.get("page_version") or alerts_version(of)
    return {
        "page_version": replace(page_version, version=as_shown(page_version.version)),
        "follows": follow_mark(page["request"]),
    }
