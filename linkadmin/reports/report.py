"""Figures across all links. Only the few links shown by name are loaded."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links import counts
from linkadmin.links.causes import ESCALATED_RANK, STATES
from linkadmin.links.models import ESCALATE_AFTER, NEEDS_SOMEBODY, Institution, Link
from linkadmin.links.presentation import shown_states
from linkadmin.links.queries import NAMED, needing_somebody, standing
from linkadmin.providers.types import HealthState
from linkadmin.web.badges import StateBadge

SHOWN = 8
INCIDENT_LINKS = 2  # this many links waiting on one bank count as one incident
WAITING_RANKS = (ESCALATED_RANK, STATES[HealthState.WAITING].rank)
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


def incidents() -> list[tuple[Institution, int, datetime | None]]:
    """How many links wait on each bank, and since when."""
    several = {pk: links for pk, links in counts.waiting_by_institution().items() if links >= INCIDENT_LINKS}
    most = sorted(several, key=lambda pk: (-several[pk], pk))[:SHOWN]
    banks = Institution.objects.select_related("integration").annotate(
        **{f"since_{rank}": Subquery(_oldest_waiting(rank)) for rank in WAITING_RANKS}
    )
    found = banks.in_bulk(most)
    return [(found[pk], several[pk], _since(found[pk])) for pk in most]


def waiting_long() -> int:
    # By rank, which follows from the state, so that the index alone tells.
    return Link.objects.filter(urgency__in=WAITING_RANKS, health_since__lte=timezone.now() - ESCALATE_AFTER).count()


def oldest_unrepaired(live: "QuerySet[Link]") -> "QuerySet[Link]":
    return needing_somebody(live).filter(NEEDS_SOMEBODY).order_by("health_since", "id").select_related(*NAMED)[:SHOWN]


def portfolio_of(user: User, live: "QuerySet[Link]") -> "QuerySet[Link]":
    return live.filter(assignee=user).order_by("urgency", "health_since", "id").select_related(*NAMED)[:SHOWN]


def _oldest_waiting(rank: int) -> "QuerySet[Any]":
    here = Link.objects.filter(institution=OuterRef("pk"), urgency=rank)
    return here.order_by("health_since").values("health_since")[:1]


def _since(bank: Institution) -> datetime | None:
    return min(filter(None, (getattr(bank, f"since_{rank}") for rank in WAITING_RANKS)), default=None)
