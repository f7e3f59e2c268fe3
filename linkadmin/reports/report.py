"""Figures across all links. Only the few links shown by name are loaded."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Institution, Link
from linkadmin.links.presentation import shown_states
from linkadmin.links.queries import NAMED, needing_somebody, standing
from linkadmin.providers.types import HealthState
from linkadmin.web.badges import StateBadge

SHOWN = 8
INCIDENT_LINKS = 2  # this many links waiting on one bank count as one incident
WIDTH = 100  # units of a bar


@dataclass(frozen=True, slots=True)
class Share:
    """One state's segment of a bar."""

    state: str
    badge: StateBadge
    count: int
    start: float
    width: float


def state_shares(by_state: Counter[str]) -> list[Share]:
    total = max(1, by_state.total())
    shares, start = [], 0.0
    for state, look in shown_states():
        count = by_state[state]
        if not count:
            continue
        width = WIDTH * count / total
        shares.append(Share(state, look, count, round(start, 2), round(width, 2)))
        start += width
    return shares


def by_integration(counted: Mapping[UUID, Counter[str]]) -> list[tuple[Integration, int, list[Share]]]:
    return [
        (each, by_state.total(), state_shares(by_state))
        for each in Integration.objects.filter(pk__in=counted).order_by("name")
        if (by_state := standing(counted[each.pk]))
    ]


def incidents(live: "QuerySet[Link]") -> list[tuple[Institution, int, datetime | None]]:
    """How many links wait on each bank, and since when."""
    waiting = live.filter(health=HealthState.WAITING.value, verifying_since=None, institution__isnull=False)
    grouped = waiting.values("institution").annotate(n=Count("pk"), since=Min("health_since")).order_by("-n")
    found = [row for row in grouped[:SHOWN] if row["n"] >= INCIDENT_LINKS]
    banks = Institution.objects.select_related("integration").in_bulk([row["institution"] for row in found])
    return [(banks[row["institution"]], row["n"], row["since"]) for row in found]


def oldest_unrepaired(live: "QuerySet[Link]") -> "QuerySet[Link]":
    return needing_somebody(live).order_by("health_since", "id").select_related(*NAMED)[:SHOWN]


def portfolio_of(user: User, live: "QuerySet[Link]") -> "QuerySet[Link]":
    return live.filter(assignee=user).order_by("urgency", "health_since", "id").select_related(*NAMED)[:SHOWN]
