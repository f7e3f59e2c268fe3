"""Figures over all links. Counts only, but for the few links that are shown by name."""

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
from linkadmin.links.queries import needing_somebody, standing
from linkadmin.providers.types import HealthState
from linkadmin.web.badges import StateBadge

SHOWN = 8
INCIDENT_LINKS = 2  # so many links waiting for one bank are one incident, not so many troubles
WIDTH = 100  # units of a bar


@dataclass(frozen=True, slots=True)
class Share:
    """One state's part of a bar: where it begins, how wide it is, and how many links it stands for."""

    state: str
    badge: StateBadge
    count: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class IntegrationLine:
    id: UUID
    name: str
    total: int
    shares: list[Share]
    keys_rejected: bool


@dataclass(frozen=True, slots=True)
class Incident:
    institution: UUID
    bank: str
    integration: str
    count: int
    since: datetime | None
    declared: bool  # the provider itself says that the bank is down


def state_shares(tally: Counter[str]) -> list[Share]:
    """Return the states that have links, as parts of one bar."""
    total = max(1, tally.total())
    shares, start = [], 0.0
    for state, look in shown_states():
        count = tally[state]
        if not count:
            continue
        width = WIDTH * count / total
        shares.append(Share(state, look, count, round(start, 2), round(width, 2)))
        start += width
    return shares


def by_integration(tallies: Mapping[UUID, Counter[str]]) -> list[IntegrationLine]:
    return [
        IntegrationLine(each.pk, each.name, tally.total(), state_shares(tally), each.keys_rejected)
        for each in Integration.objects.filter(pk__in=tallies).order_by("name")
        if (tally := standing(tallies[each.pk]))
    ]


def incidents(live: "QuerySet[Link]") -> list[Incident]:
    """Return the banks that fail for several customers at once: one line each, however many links."""
    waiting = live.filter(health=HealthState.WAITING.value, verifying_since=None, institution__isnull=False)
    grouped = waiting.values("institution").annotate(n=Count("pk"), since=Min("health_since")).order_by("-n")
    found = [row for row in grouped[:SHOWN] if row["n"] >= INCIDENT_LINKS]
    banks = Institution.objects.select_related("integration").in_bulk([row["institution"] for row in found])
    return [
        Incident(
            institution=bank.pk,
            bank=bank.display_name,
            integration=bank.integration.name,
            count=row["n"],
            since=row["since"],
            declared=bank.is_down,
        )
        for row in found
        if (bank := banks[row["institution"]])
    ]


def oldest_unrepaired(live: "QuerySet[Link]") -> "QuerySet[Link]":
    return _with_names(needing_somebody(live).order_by("health_since", "id"))[:SHOWN]


def portfolio_of(user: User, live: "QuerySet[Link]") -> "QuerySet[Link]":
    return _with_names(live.filter(assignee=user).order_by("urgency", "health_since", "id"))[:SHOWN]


def _with_names(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.select_related("integration", "end_user", "institution", "assignee")
