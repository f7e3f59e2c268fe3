"""Links that pages ask for, each customer's most urgent one, and counts by customer and group."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.paging import first_of_each
from linkadmin.providers.types import HealthState

from .causes import RENEWAL_RANK, STATES, Group
from .listing.narrowing import is_one_of
from .models import RANKED, EndUser, Link

NOT_WORKING = (Group.CUSTOMER, Group.WAIT, Group.US)
NOT_WORKING_RANKS = Q(urgency__lte=STATES[HealthState.WAITING].rank) & ~Q(urgency=RENEWAL_RANK)


def visible_to(user: User, links: "QuerySet[Link] | None" = None) -> "QuerySet[Link]":
    links = Link.objects.all() if links is None else links
    return links.filter(of_portfolio(user)) if may(user, Right.VIEW_LINKS) else links.none()


def portfolio_of(user: User) -> UUID | None:
    """The account manager whose customers they see. None if they see everyone's, or no customers at all."""
    return user.pk if may(user, Right.VIEW_END_USERS) and not may(user, Right.VIEW_ALL_CUSTOMERS) else None


def of_portfolio(user: User, path: str = "") -> Q:
    """Tests customers and links, or what has one at `path`, that other conditions find."""
    manager = portfolio_of(user)
    return is_one_of(f"{path}account_manager", [manager]) if manager else Q()


def in_portfolio(user: User) -> Q:
    """The same for customers and links, found by their indexes of account managers."""
    manager = portfolio_of(user)
    return Q(account_manager=manager) if manager else Q()


def verifying(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(verifying_since__isnull=False)


def active(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(disconnected_at=None).exclude(health__in=[state.value for state in Group.ENDED.states])


def needing_somebody(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(needs_somebody())


def needs_somebody() -> Q:
    states = [state.value for group in (Group.CUSTOMER, Group.US) for state in group.states]
    return Q(health__in=states, verifying_since=None)


def most_urgent(links: "QuerySet[Link]") -> "QuerySet[Link]":
    """One link of each customer in each environment: the first in the work list."""
    return first_of_each(links, ("end_user", "environment"), RANKED)


def most_urgent_of(links: "QuerySet[Link]", environment: str, *customers: UUID) -> "QuerySet[Link]":
    # Of equally urgent ones any: to compare their IDs, both databases read them all.
    theirs = Link.objects.filter(end_user=OuterRef("pk"), environment=environment)
    first = theirs.order_by("urgency", "health_since").values("pk")[:1]
    return links.filter(pk__in=EndUser.objects.filter(pk__in=customers).values_list(Subquery(first)))


def count_links(environment: str, *customers: UUID) -> "QuerySet[Any]":
    """Rows of customer, active links, and how many of those don't work. An index has all of it."""
    links = Link.objects.filter(end_user__in=customers, environment=environment).order_by()
    live = links.filter(urgency__lt=STATES[HealthState.DISCONNECTED].rank)
    counted: QuerySet[Any] = live.values("end_user").annotate(
        n=Count("*"), broken=Count("urgency", filter=NOT_WORKING_RANKS)
    )
    return counted.values_list("end_user", "n", "broken")


def standing(by_state: Counter[str]) -> Counter[str]:
    ended = {state.value for state in Group.ENDED.states}
    return Counter({state: count for state, count in by_state.items() if state not in ended})


def group_counts(by_state: Counter[str]) -> dict[str, int]:
    return {group.value: sum(by_state[state.value] for state in group.states) for group in Group}
