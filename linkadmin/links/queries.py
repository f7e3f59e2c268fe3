"""Links that pages ask for, and their counts by customer and group."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.paging import Keyset

from .causes import Group
from .models import EndUser, Link

CUSTOMERS, CUSTOMERS_BY_ID = Keyset("name", "external_id"), Keyset("external_id")


def visible_to(user: User, links: "QuerySet[Link] | None" = None) -> "QuerySet[Link]":
    links = Link.objects.all() if links is None else links
    return links if may(user, Right.VIEW_LINKS) else links.none()


def verifying(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(verifying_since__isnull=False)


def active(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(disconnected_at=None).exclude(health__in=[state.value for state in Group.ENDED.states])


def needing_somebody(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(needs_somebody())


def needs_somebody() -> Q:
    states = [state.value for group in (Group.CUSTOMER, Group.US) for state in group.states]
    return Q(health__in=states, verifying_since=None)


def count_links(customers: Iterable[EndUser]) -> dict[UUID, tuple[int, int]]:
    """Per customer: active links, and how many of them need somebody."""
    live = active(Link.objects.filter(end_user__in=customers)).order_by().values("end_user")
    counted = live.annotate(n=Count("pk"), trouble=Count("pk", filter=needs_somebody()))
    return {row["end_user"]: (row["n"], row["trouble"]) for row in counted}


def standing(by_state: Counter[str]) -> Counter[str]:
    ended = {state.value for state in Group.ENDED.states}
    return Counter({state: count for state, count in by_state.items() if state not in ended})


def group_counts(by_state: Counter[str]) -> dict[str, int]:
    return {group.value: sum(by_state[state.value] for state in group.states) for group in Group}
