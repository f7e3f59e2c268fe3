"""Filters from a fixed map, and keyset pages for lists of links."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

import django_filters
from django import forms
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.integrations.models import Integration
from linkadmin.paging import Keyset
from linkadmin.providers.types import HealthState

from .causes import ESCALATED_RANK, STATES, VERIFYING_LOOK, Group
from .models import ESCALATE_AFTER, VERIFYING, EndUser, Institution, Link, UnrecognizedValue
from .unrecognized_values import showing

COUNTED = 1000  # links; above this, counts say "more than"
ESCALATE = "escalate"  # beside the states: waits so long that somebody should contact provider support
ACTIVE = "active"  # all that aren't disconnected
SOMEBODY = "somebody"  # all that wait on a customer or us

NAMED = ("integration", "end_user", "institution", "assignee")  # related rows that a list needs
WORK_LIST = Keyset("urgency", "health_since", "id")  # most urgent first, then oldest
CUSTOMERS, CUSTOMERS_BY_ID = Keyset("name", "id"), Keyset("external_id")


class LinkFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(
        method="of_state",
        label=_("Status"),
        empty_label=_("Any status"),
        choices=lambda: [
            # Groups first, then the states by their own names.
            *((group.value, group.label) for group in Group),
            (VERIFYING, VERIFYING_LOOK.label),
            (ESCALATE, _("Waiting over 2 days")),
            (SOMEBODY, _("Waiting on customer or us")),
            (ACTIVE, _("Not disconnected")),
            *((state.value, STATES[state].label) for state in HealthState),
        ],
    )
    integration = django_filters.ModelChoiceFilter(
        queryset=Integration.objects.order_by("name"), label=_("Integration"), empty_label=_("Any integration")
    )
    institution = django_filters.ModelChoiceFilter(
        queryset=Institution.objects.order_by("display_name", "name"),
        label=_("Institution"),
        empty_label=_("Any institution"),
    )
    mine = django_filters.ChoiceFilter(
        method="of_assignee", label=_("Assignee"), empty_label=_("Anyone"), choices=[("1", _("Mine"))]
    )

    # Set by links from other pages; not offered in the list.
    customer = django_filters.UUIDFilter(field_name="end_user", label=_("Customer"), widget=forms.HiddenInput)
    unknown = django_filters.ModelChoiceFilter(
        queryset=UnrecognizedValue.objects.all(),
        method=lambda links, _name, value: showing(links.filter(disconnected_at=None), value),
        label=_("Unrecognized value"),
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Link
        fields = ["state", "integration", "institution", "mine", "customer", "unknown"]

    def of_state(self, links: "QuerySet[Link]", _name: str, value: str) -> "QuerySet[Link]":
        beside_states = {VERIFYING: verifying, ESCALATE: waiting_too_long, ACTIVE: active, SOMEBODY: needing_somebody}
        if value in beside_states:
            return beside_states[value](links)
        states = Group(value).states if value in list(Group) else (HealthState(value),)
        return links.filter(health__in=[state.value for state in states], verifying_since=None)

    def of_assignee(self, links: "QuerySet[Link]", _name: str, _value: str) -> "QuerySet[Link]":
        return links.filter(assignee=self.request.user)


def visible_to(user: User) -> "QuerySet[Link]":
    return Link.objects.all() if may(user, Right.VIEW_LINKS) else Link.objects.none()


def verifying(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(verifying_since__isnull=False)


def active(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(disconnected_at=None).exclude(health__in=[state.value for state in Group.ENDED.states])


def needing_somebody(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(needs_somebody())


def needs_somebody() -> Q:
    states = [state.value for group in (Group.CUSTOMER, Group.US) for state in group.states]
    return Q(health__in=states, verifying_since=None)


def waiting_too_long(links: "QuerySet[Link]") -> "QuerySet[Link]":
    waits = HealthState.WAITING
    # The rank follows from the state and lets the query use the work list's index.
    ranked = links.filter(urgency__range=(ESCALATED_RANK, STATES[waits].rank))
    since = timezone.now() - ESCALATE_AFTER
    return ranked.filter(health=waits.value, verifying_since=None, health_since__lte=since)


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
