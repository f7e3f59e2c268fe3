"""The bar of integrations that can't be used now, and what an open page polls to follow by itself."""

from dataclasses import replace
from typing import Any

from django import template
from django.template import Context

from linkadmin.heartbeats import watch
from linkadmin.integrations.alerts import alerts
from linkadmin.links.views.live import as_shown, concerned, follow_mark, pulse_of

register = template.Library()


@register.inclusion_tag("partials/_live.html", takes_context=True)
def live_page(context: Context) -> dict[str, Any]:
    """Draw the bar for what the page shows. A view whose page awaits something gives its own `pulse`."""
    page: dict[str, Any] = dict(context.flatten())  # type: ignore[arg-type]  # its names are texts
    of = concerned(page)
    found = alerts(of)
    pulse = page.get("pulse") or pulse_of(of)
    return {
        "alerts": found,
        "stopped": watch.words() if page.get("rights") else "",
        "is_of_one": of is not None and len(of) == 1,
        "pulse": replace(pulse, version=as_shown(pulse.version)),
        "follows": follow_mark(page["request"]),
        "rights": page.get("rights", frozenset()),
    }
