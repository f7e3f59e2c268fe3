"""What the palette finds of customers, links and institutions: by name or the beginning of an ID, or by whole IDs.

Names find what is in the reader's environment, and whole IDs anything.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from django.db.models import Q
from django.http import QueryDict

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.compiled_query import Loaded
from linkadmin.links import search
from linkadmin.links.models import RANKED, EndUser, Institution, Link
from linkadmin.links.presentation import glance, title_of, under_way_on
from linkadmin.links.queries import in_portfolio, of_portfolio, portfolio_of, visible_to
from linkadmin.paging import Keyset, Part
from linkadmin.search.lookups import Condition, is_one_of, looked_up
from linkadmin.search.pasted import Pasted
from linkadmin.web.palette import MOST_SHOWN, Found, PaletteGroup, Result

from . import narrowing
from .known import INTEGRATIONS, environment_of, integrations_in, names_of
from .marks import marked
from .table_rows import listed

ON_LINK: list[Callable[[User, Link], Iterable[Result]]] = []  # actions, filled by packages that have them
_LISTED = listed(Link.objects.all())
_FIRST = QueryDict()
_BY_URGENCY = Keyset(*RANKED, size=MOST_SHOWN)


def customers_and_links(reader: User, pasted: Pasted) -> Iterator[Found]:
    if not (pasted.words or pasted.ids) or pasted.is_too_short:
        return
    see_names = may(reader, Right.SEE_NAMES)
    if may(reader, Right.VIEW_END_USERS):
        for customer in _customers(pasted, reader, see_names=see_names):
            called = customer.called(see_names=see_names)
            yield PaletteGroup.CUSTOMERS, Result(called, customer.get_absolute_url(), "user", note=customer.external_id)
    if may(reader, Right.VIEW_LINKS):
        links = _named(_links(pasted, reader, see_names=see_names))
        yield from ((PaletteGroup.LINKS, each) for each in _results(links, see_names=see_names))
        if len(links) == 1:
            yield from ((PaletteGroup.ACTIONS, each) for ask in ON_LINK for each in ask(reader, links[0]))


def institutions(reader: User, pasted: Pasted) -> Iterator[Found]:
    if not may(reader, Right.VIEW_OVERVIEW):
        return
    found, known = Institution.objects.none(), INTEGRATIONS.all()
    if pasted.words:
        here = Q(integration__in=list(integrations_in(environment_of(reader))))
        found = search.search_institutions(pasted.words).filter(here)
    elif pasted.uuids:
        found = Institution.objects.filter(pk__in=pasted.uuids)
    for each in found.order_by("display_name", "pk").only("display_name", "integration")[:MOST_SHOWN]:
        note = marked(known[each.integration_id].name, known[each.integration_id])
        yield PaletteGroup.INSTITUTIONS, Result(each.display_name, each.get_absolute_url(), "landmark", note=note)


def _customers(pasted: Pasted, reader: User, *, see_names: bool) -> Sequence[EndUser]:
    if pasted.ids:
        having = Q(external_id__in=pasted.ids) | Q(pk__in=pasted.uuids)
        with_id = EndUser.objects.filter(having, of_portfolio(reader))
        if exact := list(with_id.order_by("external_id")[:MOST_SHOWN]):
            return exact
    if not pasted.words:
        return []
    if see_names and not portfolio_of(reader):
        return search.some_customers(pasted.words, MOST_SHOWN)
    found = search.search_customers(pasted.words, see_names=see_names).filter(in_portfolio(reader))
    return list(found.order_by(*(("name", "external_id") if see_names else ("external_id",)))[:MOST_SHOWN])


def _links(pasted: Pasted, reader: User, *, see_names: bool) -> Loaded[Link]:
    links = visible_to(reader, _LISTED)
    if pasted.ids:
        with_id, are_few = looked_up(links, list(_having_id(pasted)))
        exact = _BY_URGENCY.page(with_id, _FIRST, are_few=are_few).rows
        if exact or not pasted.words:
            return exact
    environment = environment_of(reader)
    here = links.filter(narrowing.is_one_of("environment", [environment]))
    found, are_few = search.found(here, pasted.words, see_names=see_names)
    in_order = [Part(Q() if are_few else Q(environment=environment) & in_portfolio(reader))]
    return _BY_URGENCY.page(found, _FIRST, in_order, are_few=are_few).rows


def _having_id(pasted: Pasted) -> Iterator[Condition]:
    if pasted.uuids:
        own = Q(pk__in=pasted.uuids)
        yield Condition(own, own)
    yield is_one_of("remote_id", pasted.ids)
    yield is_one_of("data_source_id", pasted.ids)
    yield is_one_of("request_id", pasted.ids)
    of_customer = Q(end_user__in=EndUser.objects.filter(external_id__in=pasted.ids))
    yield Condition(of_customer, of_customer)


def _named(links: Loaded[Link]) -> Sequence[Link]:
    for link, names in zip(links, names_of(links), strict=True):
        link.integration, link.institution, link.assignee = names
    return links


def _results(links: Sequence[Link], *, see_names: bool) -> Iterator[Result]:
    under_way = under_way_on([link.pk for link in links])
    for link in links:
        state, _since = glance(link, under_way.get(link.pk))
        title = title_of(link.end_user, link.institution or link.integration, see_names=see_names)
        yield Result(
            title, link.get_absolute_url(), state.icon, note=marked(state.label, link.integration), tone=state.tone
        )
