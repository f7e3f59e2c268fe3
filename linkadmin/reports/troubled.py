"""Customers with links that don't work, the reader's own first."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.compiled_query import CompiledQuery, Loaded
from linkadmin.links.causes import RENEWAL_RANK, STATES
from linkadmin.links.listing.known import INSTITUTIONS, INTEGRATIONS
from linkadmin.links.models import RANKED, Link
from linkadmin.links.presentation import glance
from linkadmin.providers.types import HealthState
from linkadmin.timestamps import exact_words, span_words
from linkadmin.web.badges import StateBadge
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

from .trend import NOT_WORKING

SHOWN = 5
READ = 25  # links, of several customers
COLUMNS = (
    "integration", "institution", "end_user__external_id", "end_user__name", "urgency", "health", "cause",
    "conflict", "health_since", "refused_at", "verifying_since",
)  # fmt: skip
RANK_AND_CUSTOMER = (*RANKED, "end_user_id")
FoundLink: TypeAlias = tuple[UUID, Loaded[Link], int]  # of a customer's link: among which, and where
NOT_WORKING_RANKS = Q(urgency__lte=STATES[HealthState.WAITING].rank) & ~Q(urgency=RENEWAL_RANK)

_CUSTOMER = FlatPart("reports/_troubled.html")


def draw_troubled(reader: User, *, is_mine: bool, see_names: bool) -> str:
    """Markup of a line for each: its most urgent link, and how many of its links don't work."""
    mine = _ranked(_MANAGED.instances(reader.pk), _ASSIGNED.instances(reader.pk))
    worst = _of_each_customer(mine)
    if not is_mine and len(worst) < SHOWN:
        worst = _of_each_customer([*mine, *_ranked(_ALL.instances())])
    return _CUSTOMER.fill(_lines(_named(worst), _counted(list(worst)), see_names=see_names))


def _ranked(*found: Loaded[Link]) -> list[FoundLink]:
    """Where links are, most urgent first."""
    places = [
        ((*rank, pk), customer, loaded, place)
        for loaded in found
        for place, (*rank, pk, customer) in enumerate(zip(*map(loaded.values, RANK_AND_CUSTOMER), strict=True))
    ]
    return [(customer, loaded, place) for _rank, customer, loaded, place in sorted(places, key=lambda each: each[0])]


def _of_each_customer(places: Iterable[FoundLink]) -> dict[UUID, Link]:
    """The first link of each of the first customers."""
    first: dict[UUID, tuple[Loaded[Link], int]] = {}
    for customer, loaded, place in places:
        if len(first) < SHOWN:
            first.setdefault(customer, (loaded, place))
    return {customer: loaded[place] for customer, (loaded, place) in first.items()}


def _named(worst: Mapping[UUID, Link]) -> Mapping[UUID, Link]:
    links = worst.values()
    integrations = INTEGRATIONS.all(*{link.integration_id for link in links})
    institutions = INSTITUTIONS.some(link.institution_id for link in links)
    for link in links:
        link.integration = integrations[link.integration_id]
        link.institution = institutions.get(link.institution_id) if link.institution_id else None
    return worst


def _counted(customers: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Of each customer: active links, and those that don't work."""
    if not customers:
        return {}
    rows = _COUNTS.rows(*customers, *customers[:1] * (SHOWN - len(customers)))
    return {UUID(str(pk)): (active, broken) for pk, active, broken in rows}


def _lines(
    worst: Mapping[UUID, Link], counted: Mapping[UUID, tuple[int, int]], *, see_names: bool
) -> Iterator[dict[str, object]]:
    url, now = reverse("link-list"), timezone.now()
    states = "&".join(f"state={group.value}" for group in NOT_WORKING)
    for pk, link in worst.items():
        active, broken = counted.get(pk, (1, 1))
        state, since = glance(link, None)
        words = ngettext("%(broken)s of %(links)s link", "%(broken)s of %(links)s links", active)
        yield {
            "name": link.end_user.called(see_names=see_names),
            "customer_url": link.end_user.get_absolute_url(),
            "url": f"{url}?customer={pk}&{states}",
            "count": broken,
            "words": words % {"broken": broken, "links": active},
            "reason": _reason(state),
            "for": _("for %(span)s") % {"span": span_words(now - since)},
            "since": exact_words(since),
            "tone": state.tone,
            "icon": icon(state.icon),
            "state": state.label,
        }


def _reason(state: StateBadge) -> str:
    return state.mark or state.reason


def _listed(links: "QuerySet[Link]") -> "QuerySet[Link]":
    found = links.filter(NOT_WORKING_RANKS, verifying_since=None).select_related("end_user").only(*COLUMNS)
    return found.order_by(*RANKED)[:READ]


def _counts(*customers: UUID) -> "QuerySet[Any]":
    live = Link.objects.filter(end_user__in=customers, urgency__lt=STATES[HealthState.DISCONNECTED].rank).order_by()
    counted: QuerySet[Any] = live.values("end_user").annotate(
        n=Count("*"), broken=Count("urgency", filter=NOT_WORKING_RANKS)
    )
    return counted.values_list("end_user", "n", "broken")


_ALL = CompiledQuery(lambda: _listed(Link.objects.all()), types=())
_MANAGED = CompiledQuery(lambda user: _listed(Link.objects.filter(account_manager=user)))
_ASSIGNED = CompiledQuery(lambda user: _listed(Link.objects.filter(assignee=user)))
_COUNTS = CompiledQuery(_counts, types=(UUID,) * SHOWN)
