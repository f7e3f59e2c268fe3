"""Customers with links that don't work, the reader's own first."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.compiled_query import CompiledQuery
from linkadmin.links.listing.customer_filter import LISTED
from linkadmin.links.listing.known import INSTITUTIONS, INTEGRATIONS
from linkadmin.links.models import RANKED, Link
from linkadmin.links.presentation import glance
from linkadmin.links.queries import NOT_WORKING, NOT_WORKING_RANKS, count_links, most_urgent, portfolio_of
from linkadmin.timestamps import exact_words, span_words
from linkadmin.web.badges import StateBadge
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

SHOWN = 5
READ = 25  # links that are assigned to somebody, of several customers

_CUSTOMER = FlatPart("reports/_troubled.html")


def draw_troubled(reader: User, environment: str, *, is_mine: bool, see_names: bool) -> str:
    """Markup of a line for each: its most urgent link, and how many of its links don't work."""
    own = reader.pk, environment
    mine = [*_MANAGED.instances(*own), *([] if portfolio_of(reader) else _ASSIGNED.instances(*own))]
    worst = _of_each_customer(sorted(mine, key=_rank))
    if not is_mine and len(worst) < SHOWN:
        worst = _of_each_customer([*worst.values(), *_ALL.instances(environment)])
    return _CUSTOMER.fill(_lines(_named(worst), _counted(list(worst), environment), see_names=see_names))


def _rank(link: Link) -> tuple[object, ...]:
    return tuple(getattr(link, column) for column in RANKED)


def _of_each_customer(links: Iterable[Link]) -> dict[UUID, Link]:
    """The first link of each of the first customers."""
    first: dict[UUID, Link] = {}
    for link in links:
        if len(first) < SHOWN:
            first.setdefault(link.end_user_id, link)
    return first


def _named(worst: Mapping[UUID, Link]) -> Mapping[UUID, Link]:
    links = worst.values()
    integrations = INTEGRATIONS.all(*{link.integration_id for link in links})
    institutions = INSTITUTIONS.some(link.institution_id for link in links)
    for link in links:
        link.integration = integrations[link.integration_id]
        link.institution = institutions.get(link.institution_id) if link.institution_id else None
    return worst


def _counted(customers: list[UUID], environment: str) -> dict[UUID, tuple[int, int]]:
    """Of each customer: active links, and those that don't work."""
    if not customers:
        return {}
    rows = _COUNTS.rows(environment, *customers, *customers[:1] * (SHOWN - len(customers)))
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


def _troubled(links: "QuerySet[Link]") -> "QuerySet[Link]":
    return links.filter(NOT_WORKING_RANKS).order_by(*RANKED)


def _of_all(environment: str) -> "QuerySet[Link]":
    return _troubled(most_urgent(LISTED.filter(environment=environment)))[:SHOWN]


def _of_manager(user: UUID, environment: str) -> "QuerySet[Link]":
    return _troubled(most_urgent(LISTED.filter(account_manager=user, environment=environment)))[:SHOWN]


def _of_assignee(user: UUID, environment: str) -> "QuerySet[Link]":
    return _troubled(LISTED.filter(assignee=user, environment=environment))[:READ]


_ALL = CompiledQuery(_of_all, types=(str,))
_MANAGED, _ASSIGNED = (CompiledQuery(build, types=(UUID, str)) for build in (_of_manager, _of_assignee))
_COUNTS = CompiledQuery(count_links, types=(str, *(UUID,) * SHOWN))
