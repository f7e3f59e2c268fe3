"""The overview's first sentence: what has changed since last Monday, and its main cause."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from linkadmin.links import counts
from linkadmin.links.causes import Group
from linkadmin.links.presentation import shown_states
from linkadmin.links.queries import NOT_WORKING, group_counts, standing
from linkadmin.timestamps import since
from linkadmin.web.flat_parts import FlatPart

from .banks import Bank
from .trend import Trend

MUCH_MORE = 2  # times
CONCENTRATED = 2  # this many links at one institution are worth naming it

_COUNT = FlatPart("reports/_count.html")


@dataclass(frozen=True, slots=True)
class Place:
    """The institution with most of a group's links."""

    pk: UUID
    links: int


@dataclass(frozen=True, slots=True)
class Headline:
    """Numbers as markup that leads to their links, where the reader may see them."""

    group: str
    count: int
    links: str
    active: str
    change: int | None = None  # since last Monday

    @property
    def is_compared(self) -> bool:
        return self.change is not None

    @property
    def more(self) -> int:
        return max(0, self.change or 0)

    @property
    def fewer(self) -> int:
        return max(0, -(self.change or 0))


@dataclass(frozen=True, slots=True)
class MainCause:
    bank: str
    links: str
    state: str
    waits: bool
    is_down: bool
    since: str


def changed_most(trend: Trend) -> Group:
    """Customers, unless another group grew much more since last Monday."""
    grown = max(NOT_WORKING, key=lambda group: _change(trend, group))
    usual = max(0, _change(trend, Group.CUSTOMER))
    return grown if _change(trend, grown) > MUCH_MORE * usual else Group.CUSTOMER


def headline(trend: Trend, group: Group, *, may_view_links: bool) -> Headline:
    links, url = trend.of(group)[-1], reverse("link-list") if may_view_links else ""
    return Headline(
        group=group.value,
        count=links,
        links=_count(links, url and f"{url}?state={group.value}"),
        active=_count(trend.active(), url and f"{url}?state=active"),
        change=_change(trend, group) if trend.active(days_ago=trend.since_monday) else None,
    )


def own_headline(by_state: Counter[str]) -> Headline:
    """For links that are the reader's."""
    url, group = f"{reverse('link-list')}?assigned=mine&state=", Group.CUSTOMER
    links, active = group_counts(by_state)[group.value], standing(by_state).total()
    return Headline(group.value, links, _count(links, f"{url}{group.value}"), _count(active, f"{url}active"))


def main_place(group: Group, waiting: Mapping[UUID, int], environment: str) -> Place | None:
    """`waiting` are the institutions that most links wait on, the first of them the most."""
    if group is Group.WAIT:
        return next((Place(pk, links) for pk, links in waiting.items()), None)
    found = counts.most_at(group.states, environment)
    return Place(*found) if found and found[1] >= CONCENTRATED else None


def main_cause(group: Group, place: Place, bank: Bank, by_state: Counter[str], *, may_view_links: bool) -> MainCause:
    state = max(group.states, key=lambda each: by_state[each.value])
    url = f"{reverse('link-list')}?institution={place.pk}&state={group.value}" if may_view_links else ""
    return MainCause(
        bank=bank.name,
        links=_count(place.links, url),
        state=shown_states()[state.value].label,
        waits=group is Group.WAIT,
        is_down=bank.is_down,
        since=_since(bank.waiting_since),
    )


def _since(at: datetime | None) -> str:
    return since(at) if at else _("today")


def _change(trend: Trend, group: Group) -> int:
    links = trend.of(group)
    return links[-1] - links[-1 - trend.since_monday]


def _count(links: int, url: str) -> str:
    return _COUNT.fill([{"url": url, "count": links, "words": links}])
