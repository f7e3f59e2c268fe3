"""Pages of the list of customers: rows with each customer's most urgent link, filter menus, and heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.compiled_query import CompiledQuery, Loaded
from linkadmin.links.models import EndUser, Link
from linkadmin.links.presentation import UnderWay, glance, under_way_on
from linkadmin.links.queries import NOT_WORKING, count_links, most_urgent_of, portfolio_of
from linkadmin.paging import PAGE_SIZE, Page
from linkadmin.timestamps import exact_words, short_span_words
from linkadmin.web.badges import StateBadge, draw_state
from linkadmin.web.filter_menus import FilterMenu, MenuOption, draw_menus, url_with
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.sorting import Head

from .customer_filter import LISTED, NAME, TROUBLE, CustomerFilter
from .filters import MINE, NOBODY
from .known import STAFF, names_of

_ROW, _TAB = FlatPart("links/_customer_row.html"), FlatPart("links/_tab.html")
_IN_PAGE = (str, *(UUID,) * PAGE_SIZE)  # environment and customers
_MOST_URGENT = CompiledQuery(lambda *keys: most_urgent_of(LISTED, *keys), types=_IN_PAGE)
_COUNTS = CompiledQuery(count_links, types=_IN_PAGE)
_NO_LINKS: Loaded[Link] = Loaded([], None)


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of customers, with all that their rows show."""

    page: Page[Any]
    customers: Sequence[EndUser]
    links: Loaded[Link]  # each customer's most urgent one
    under_way: Mapping[UUID, UnderWay]
    counts: Mapping[UUID, tuple[int, int]]  # active links, and how many of those don't work

    @property
    def facts(self) -> tuple[object, ...]:
        busy = sorted((pk, each.state, each.since) for pk, each in self.under_way.items())
        return repr(self.page.rows.rows), repr(self.links.rows), busy, sorted(self.counts.items())

    def rows(self, *, see_names: bool) -> str:
        """Markup of table rows; empty without customers."""
        staff, now, links = STAFF.all(), timezone.now(), self._links_by_customer()
        return _ROW.fill(
            {
                **_of_customer(each, staff, see_names=see_names),
                **self._of_link(links.get(each.pk), now),
                **_of_counts(each, *self.counts.get(each.pk, (0, 0))),
            }
            for each in self.customers
        )

    def _links_by_customer(self) -> dict[UUID, Link]:
        for link, names in zip(self.links, names_of(self.links), strict=True):
            link.integration, link.institution, link.assignee = names
        return {link.end_user_id: link for link in self.links}

    def _of_link(self, link: Link | None, now: datetime) -> dict[str, object]:
        if link is None:
            return {"state": draw_state(StateBadge("quiet", "circle-dashed", _("No links"))), "since": ""}
        state, since = glance(link, self.under_way.get(link.pk))
        return {
            "state": draw_state(state),
            "since": since.isoformat(),
            "since_exact": exact_words(since),
            "since_span": short_span_words(now - since),
        }


def read_page(chosen: CustomerFilter, reader: User, query: QueryDict) -> CustomerPage:
    page: Page[Any]
    customers: Sequence[EndUser]
    if chosen.is_by_name:
        page = chosen.by_name(reader).page(query)
        customers, pks = page.rows, page.rows.values("id")
        links = _MOST_URGENT.instances(chosen.environment, *_filled(pks)) if pks else _NO_LINKS
    else:
        page = chosen.by_trouble(reader).page(query)
        links = page.rows
        customers, pks = [link.end_user for link in links], links.values("end_user_id")
    counted = _COUNTS.rows(chosen.environment, *_filled(pks)) if pks else []
    counts = {UUID(str(pk)): (active, broken) for pk, active, broken in counted}
    return CustomerPage(page, customers, links, under_way_on(links.values("id")), counts)


def menus(chosen: CustomerFilter, reader: User, query: QueryDict) -> str:
    by_manager = [] if portfolio_of(reader) else [_by_manager(chosen, reader, query)]
    shown = [*by_manager, chosen.sorting.menu()]
    return draw_menus(shown, list_url=reverse("end-user-list"), is_search=bool(chosen.words))


def tabs(chosen: CustomerFilter, reader: User, query: QueryDict) -> str:
    """Empty for readers who see only their own."""
    labels = () if portfolio_of(reader) else (("all", _("All"), ""), (MINE, _("Mine"), MINE))
    return _TAB.fill(
        {
            "key": key,
            "label": label,
            "url": url_with(query, reverse("end-user-list"), "manager", value),
            "count": "",
            "is_current": chosen.manager == value,
        }
        for key, label, value in labels
    )


def heads(chosen: CustomerFilter) -> str:
    columns = (
        Head(_("Customer"), "table__customer", NAME),
        Head(_("Status"), "table__status", TROUBLE),
        Head(_("Since"), "table__since"),
        Head(_("In trouble"), "table__count num"),
        Head(_("Account manager"), "table__who"),
    )
    return chosen.sorting.heads(columns, is_search=bool(chosen.words))


def _by_manager(chosen: CustomerFilter, reader: User, query: QueryDict) -> FilterMenu:
    list_url, everybody = reverse("end-user-list"), STAFF.all()
    labels = {MINE: _("Mine"), NOBODY: _("No account manager")}
    labels |= {
        str(pk): each.display_name
        for pk, each in everybody.items()
        if str(pk) == chosen.manager or (may(each, Right.REFRESH) and pk != reader.pk)
    }
    options = [
        MenuOption(label, url_with(query, list_url, "manager", value), value == chosen.manager)
        for value, label in labels.items()
    ]
    clear_url = url_with(query, list_url, "manager", "") if chosen.manager else ""
    return FilterMenu("manager", _("Account manager"), labels.get(chosen.manager, ""), tuple(options), clear_url)


def _of_customer(customer: EndUser, staff: Mapping[UUID, User], *, see_names: bool) -> dict[str, object]:
    manager = staff.get(customer.account_manager_id) if customer.account_manager_id else None
    return {
        "url": customer.get_absolute_url(),
        "name": customer.called(see_names=see_names),
        "external_id": customer.external_id,
        "manager": manager.display_name if manager else "",
    }


def _of_counts(customer: EndUser, links: int, broken: int) -> dict[str, object]:
    words = ngettext("%(broken)s of %(links)s link", "%(broken)s of %(links)s links", links)
    states = "&".join(f"state={group.value}" for group in NOT_WORKING)
    return {
        "count": broken,
        "words": words % {"broken": broken, "links": links},
        "links_url": f"{reverse('link-list')}?customer={customer.pk}&{states}" if broken else "",
    }


def _filled(pks: list[UUID]) -> list[UUID]:
    """As many as the statements take: the first one is repeated."""
    return [*pks, *pks[:1] * (PAGE_SIZE - len(pks))]
