"""What the pages of integrations say about the links that are reached through them."""

from typing import Any

from django.template import Context

from . import counts, queries
from .presentation import state_counts


def reached(page: Context) -> dict[str, Any]:
    return {"reached_count": queries.standing(counts.current(integration=page["integration"])).total()}


def by_state(page: Context) -> dict[str, Any]:
    integration = page["integration"]
    tally = counts.current(integration=integration)
    return {"links_count": tally.total(), "states": state_counts(tally, green=not integration.keys_rejected)}
