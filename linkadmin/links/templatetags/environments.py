"""What says which environment something is in."""

from typing import Any

from django import template
from django.template import Context

from linkadmin.links.listing import marks
from linkadmin.links.listing.known import INTEGRATIONS
from linkadmin.links.views.live import integration_of

register = template.Library()
register.simple_tag(marks.sandbox_mark)


@register.inclusion_tag("links/_other_environment.html", takes_context=True)
def other_environment(context: Context) -> dict[str, Any]:
    """Views of lists provide their environment as `shown_environment`."""
    page: dict[str, Any] = dict(context.flatten())  # type: ignore[arg-type]  # its names are texts
    here = page.get("shown_environment", "")
    if page.get("may_switch") and (pk := integration_of(page)):
        here = INTEGRATIONS.all(pk)[pk].environment
    is_other = page.get("may_switch") and here != page["environment"]
    return {"here": here if is_other else "", "csrf_token": page.get("csrf_token")}
