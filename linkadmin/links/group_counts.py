"""How many links an integration has, for its pages."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.template import Context
from django.urls import reverse

from linkadmin.accounts.roles import Right

from . import counts
from .queries import standing
from .state_counts import state_counts

COUNTS = "links by integration"  # while a page is drawn


def reached(page: Context) -> dict[str, Any]:
    return {"reached_count": standing(_by_integration(page)[page["integration"].pk]).total()}


def by_state(page: Context) -> dict[str, Any]:
    integration = page["integration"]
    counted = _by_integration(page)[integration.pk]
    url = f"{reverse('link-list')}?integration={integration.pk}&state="
    url = url if Right.VIEW_ALL_CUSTOMERS in page["rights"] else ""
    return {
        "links_count": counted.total(),
        "states": state_counts(counted, url=url, green=not integration.keys_rejected),
    }


def _by_integration(page: Context) -> dict[UUID, Counter[str]]:
    """Read once per page, whose rows and parts all ask for it."""
    kept = page.render_context
    if COUNTS not in kept:
        kept[COUNTS] = counts.by_integration()
    found: dict[UUID, Counter[str]] = kept[COUNTS]
    return found
