"""Filters and orders of lists of links, read from a URL or a form. A fixed map: nothing else can be asked for."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.lookups import IsNull
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import STATES, VERIFYING_LOOK, Group, ranks_of
from linkadmin.links.models import ESCALATE_AFTER, RANKED, VERIFYING, Institution, Link, UnrecognizedValue
from linkadmin.links.queries import portfolio_of
from linkadmin.links.unrecognized_values import showing
from linkadmin.paging import Keyset, Listing, OldestIfNever, Part
from linkadmin.providers.types import HealthState
from linkadmin.search.lookups import unindexed
from linkadmin.web.sorting import Order, Sorting

from .known import INSTITUTIONS, INTEGRATIONS, STAFF
from .narrowing import Narrowing, any_of, are_few, equal, in_stretches, is_one_of, meeting, smallest, tested

ESCALATE = "escalate"  # beside the states: waits so long that somebody should contact provider support
ACTIVE = "active"  # all that aren't disconnected
SOMEBODY = "somebody"  # all that wait on a customer or us
NOBODY, MINE = "nobody", "mine"  # beside the staff
OLDER = (1, 2, 7, 30, 90, 180, 365)  # days in the same state
CONSENT_ENDS = (7, 14, 30, 60, 90)  # days from today

ATTENTION, SINCE, LAST_SYNC, CUSTOMER = "attention", "since", "sync", "customer"
ORDERS = {
    ATTENTION: Order((_("most urgent first"), _("least urgent first")), RANKED),
    SINCE: Order((_("longest in status first"), _("newest in status first")), ("health_since", "id")),
    LAST_SYNC: Order((_("oldest sync first"), _("latest sync first")), (OldestIfNever("last_good_at"), "id")),
    CUSTOMER: Order((_("customer, A to Z"), _("customer, Z to A")), ("end_user__name", "end_user__external_id", "id")),
}
BY_RANK = (ATTENTION, SINCE)  # within one rank, links are sorted by the time of their state
# About as many take as long to sort as to find when the order's index is walked.
MOST_SORTED = {ATTENTION: 1_000, SINCE: 1_000, LAST_SYNC: 1_000, CUSTOMER: 4_000}
BY_CUSTOMER_ID = ("end_user__external_id", "id")  # for readers who may not see names

Value = TypeVar("Value")
Row = TypeVar("Row", Integration, Institution, User)


class NotOffered(Exception):
    """A filter has a value that it doesn't offer."""


RANKS = sorted(set().union(*map(ranks_of, HealthState)))
STATE_LABELS: Mapping[str, str | Promise] = {
    # Groups first, then the states by their own names.
    **{group.value: group.label for group in Group},
    VERIFYING: VERIFYING_LOOK.label,
    ESCALATE: _("Waiting over 2 days"),
    SOMEBODY: _("Waiting on customer or us"),
    ACTIVE: _("Not disconnected"),
    **{state.value: STATES[state].label for state in HealthState},
}


@dataclass(frozen=True, slots=True)
class LinkFilter:
    """What a reader asked for. Empty values don't filter."""

    fields: list[tuple[str, str]]  # the form values that ask for the same again
    usual: str  # the reader's environment
    states: tuple[str, ...]
    integration: Integration | None
    institution: Institution | None
    assignee: str
    older: int
    consent: int
    customer: UUID | None
    unknown: UnrecognizedValue | None
    sorting: Sorting

    @property
    def names(self) -> set[str]:
        """Fields with a value."""
        return {name for name, _value in self.fields}

    def url(self, **values: Iterable[str]) -> str:
        """The list with these values instead."""
        return url_of(self.fields, **values)

    def instead(self, **values: Iterable[str]) -> "LinkFilter":
        return read(QueryDict(self.url(**values).partition("?")[2]), self.usual)

    @property
    def environment(self) -> str:
        """Of what is named: an integration, an institution, or an unrecognized value. Otherwise the reader's."""
        if self.unknown:
            return self.unknown.environment
        if self.integration or not self.institution:
            return self.integration.environment if self.integration else self.usual
        pk = self.institution.integration_id
        return INTEGRATIONS.all(pk)[pk].environment

    def keyset(self, *, see_names: bool) -> Keyset:
        if self.order == CUSTOMER and not see_names:
            return Keyset(*BY_CUSTOMER_ID, newest_first=self.sorting.is_reversed)
        return self.sorting.keyset

    def links(self, links: "QuerySet[Link]", reader: User, *, is_search: bool = False) -> "QuerySet[Link]":
        """`is_search` if they're found by an index of texts or IDs."""
        narrowings = [any_of(each.parts) for each in self._narrowings(reader)]
        if not narrowings:
            narrowings = [is_one_of("environment", [self.environment]) if is_search else self._here]
        return self._saying(links).filter(
            any_of([part.condition for part in self._ranges()]), self._rest(), *narrowings
        )

    def listing(self, links: "QuerySet[Link]", reader: User, *, see_names: bool) -> Listing[Link]:
        """These links in their order. A page of them reads few that aren't on it."""
        keyset, narrowings = self.keyset(see_names=see_names), self._narrowings(reader)
        every, links, ranges = self._saying(Link.objects.order_by()), self._saying(links), self._ranges()
        if self.unknown:
            narrowings.insert(0, Narrowing((Q(),), Q(), is_ordered=False))
        elif not narrowings and self.states and self.order == CUSTOMER:
            narrowings.insert(0, Narrowing((self._here,), Q(), is_ordered=False))
        if narrowings and (self.order not in BY_RANK or not all(each.is_ordered for each in narrowings)):
            by = narrowings[0] if self.unknown else smallest(every, narrowings, ranges)
            others = Q(*(each.tested for each in narrowings if each is not by))
            parts = in_stretches(by, ranges)
            if are_few(every.filter(others), parts, MOST_SORTED[self.order]):
                return Listing(links, keyset, meeting(parts, others & self._rest()), are_few=True)
        return self._walked(links, self._rest(), narrowings, keyset)

    def found(self, links: "QuerySet[Link]", *, see_names: bool, are_few: bool) -> Listing[Link]:
        """Links that are filtered already, in their order. If they aren't few enough to sort, an index is walked."""
        keyset = self.keyset(see_names=see_names)
        return Listing(links, keyset, are_few=True) if are_few else self._walked(links, Q(), [], keyset)

    def _walked(self, links: "QuerySet[Link]", rest: Q, narrowings: list[Narrowing], keyset: Keyset) -> Listing[Link]:
        """A list read in the order of an index."""
        stretches, ordered = self._stretches(self._here), [each for each in narrowings if each.is_ordered]
        if ordered and self.order in BY_RANK:
            stretches = self._stretches(Q())
            by = smallest(Link.objects.order_by(), ordered, stretches)
            narrowings, stretches = [each for each in narrowings if each is not by], in_stretches(by, stretches)
        if self.order == CUSTOMER and self.states:
            rest &= is_one_of("urgency", self._ranks)  # it's in the index of customers' links, the state isn't
        rest &= Q(*(each.tested for each in narrowings))
        return Listing(links, keyset, meeting(stretches, rest))

    def _saying(self, links: "QuerySet[Link]") -> "QuerySet[Link]":
        return showing(links.filter(disconnected_at=None), self.unknown) if self.unknown else links

    def _rest(self) -> Q:
        """Conditions that no index is chosen for."""
        rest = reduce(or_, map(_in_state, self.states)) if self.states else Q()
        if self.older:
            rest &= (Q(verifying_since=None) | Q(verifying_since__lte=self._until)) & _since(self._until)
        if self.consent:
            rest &= tested("urgency", "lt", STATES[HealthState.DISCONNECTED].rank)
        return rest & Q(assignee=None) if self.assignee == NOBODY else rest

    @property
    def _here(self) -> Q:
        """The beginning of the indexes that have all links. Those of an integration or institution need no more."""
        return Q(environment=self.environment)

    def _narrowings(self, reader: User) -> list[Narrowing]:
        found, here, portfolio = [], self._here, portfolio_of(reader)
        if self.customer:
            found.append(equal("end_user", self.customer, here, is_ordered=False))
        if self.consent:
            days = (timezone.localdate(), timezone.localdate() + timedelta(days=self.consent))
            ending = here & Q(renew_by__range=days)
            found.append(Narrowing((ending,), tested("renew_by", "range", days), is_ordered=False))
        if portfolio:
            found.append(equal("account_manager", portfolio, here))
        if self.assignee == MINE and not portfolio:
            elsewhere = Q(assignee=None) | ~is_one_of("assignee", [reader.pk])
            mine, managed = is_one_of("assignee", [reader.pk]), is_one_of("account_manager", [reader.pk])
            parts = here & Q(assignee=reader.pk), here & Q(account_manager=reader.pk) & elsewhere
            found.append(Narrowing(parts, mine | managed))
        elif self.assignee not in ("", NOBODY, MINE):
            found.append(equal("assignee", UUID(self.assignee), here))
        if self.institution:
            found.append(equal("institution", self.institution.pk))
        if self.integration:
            found.append(equal("integration", self.integration.pk))
        return found

    @property
    def order(self) -> str:
        return self.sorting.name

    @property
    def _until(self) -> datetime:
        return _this_minute() - timedelta(days=self.older)

    @property
    def _ranks(self) -> list[int]:
        return sorted(set().union(*map(_ranks_of, self.states))) if self.states else RANKS

    def _ranges(self) -> list[Part]:
        """The ranks of the chosen states, in as few conditions as possible."""
        if not self.states:
            return [Part(Q())]
        runs = _runs(self._ranks)
        return [Part(Q(urgency=first) if first == last else Q(urgency__range=(first, last))) for first, last in runs]

    def _stretches(self, where: Q) -> list[Part]:
        """Stretches of an index, each in this order."""
        if self.order == CUSTOMER or (self.order == ATTENTION and not self.older and not self.states):
            return [Part(where)]
        older = Q(health_since__lte=self._until) if self.older and self.order in BY_RANK else Q()
        return [Part(where & older, "urgency", tuple(self._ranks))]


NAMES = ("state", "integration", "institution", "assigned", "older", "consent", "customer", "unknown", "sort")


def url_of(fields: Iterable[tuple[str, str]], **values: Iterable[str]) -> str:
    """The list with these fields, and with `values` instead of those of the same names."""
    asked = [(name, value) for name, value in fields if name not in values]
    asked += [(name, value) for name, chosen in values.items() for value in chosen]
    query = urlencode(sorted(asked, key=lambda field: NAMES.index(field[0])))
    return f"{reverse('link-list')}?{query}" if query else reverse("link-list")


def sorting_of(fields: Iterable[tuple[str, str]]) -> Sorting:
    """Raises `BadRequest`."""
    return Sorting.read(ORDERS, QueryDict(urlencode(list(fields))), reverse("link-list"))


def read(query: QueryDict, environment: str) -> LinkFilter:
    """`environment` is the reader's. Raises `NotOffered` and `BadRequest`."""
    # Only states can be combined. Of other values, the last one filters.
    given = ((name, query.getlist(name) if name == "state" else query.getlist(name)[-1:]) for name in NAMES)
    fields = [(name, value) for name, values in given for value in values if value]
    return LinkFilter(
        fields=fields,
        usual=environment,
        states=tuple(offered(value, STATE_LABELS) for value in query.getlist("state") if value),
        integration=_known(INTEGRATIONS.all, _id(query.get("integration"))),
        institution=_known(lambda pk: INSTITUTIONS.some([pk]), _id(query.get("institution"))),
        assignee=person(query.get("assigned", "")),
        older=_days(query.get("older", ""), OLDER),
        consent=_days(query.get("consent", ""), CONSENT_ENDS),
        customer=_id(query.get("customer")),
        unknown=_unrecognized_value(query.get("unknown")),
        sorting=sorting_of(fields),
    )


def _this_minute() -> datetime:
    """Pages asked for within a minute share a compiled statement."""
    return timezone.now().replace(second=0, microsecond=0)


def _in_state(value: str) -> Q:
    if value == VERIFYING:
        return Q(IsNull(unindexed("verifying_since"), False))  # their own index isn't in the list's order
    if value == ACTIVE:
        return Q(disconnected_at=None) & ~Q(health=HealthState.DISCONNECTED.value)
    here = Q(health__in=[state.value for state in _states_of(value)], verifying_since=None)
    return here & _since(_this_minute() - ESCALATE_AFTER) if value == ESCALATE else here


def _since(until: datetime) -> Q:
    return tested("health_since", "lte", until)


def _states_of(value: str) -> tuple[HealthState, ...]:
    if value == SOMEBODY:
        return (*Group.CUSTOMER.states, *Group.US.states)
    if value == ESCALATE:
        return (HealthState.WAITING,)
    return Group(value).states if value in Group.values else (HealthState(value),)


def _ranks_of(value: str) -> set[int]:
    if value == VERIFYING:
        return {VERIFYING_LOOK.rank}
    if value == ACTIVE:
        return {*RANKS} - ranks_of(HealthState.DISCONNECTED)
    return set().union(*map(ranks_of, _states_of(value)))


def shown_states(value: str) -> set[str] | None:
    """The `Link.shown_state` of the links that a value of the filter finds. None if they don't follow from it."""
    if value == ESCALATE:
        return None
    if value == VERIFYING:
        return {VERIFYING}
    if value == ACTIVE:
        return {VERIFYING, *HealthState} - {HealthState.DISCONNECTED}
    return {state.value for state in _states_of(value)}


def _runs(ranks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last rank of each run without another rank in between."""
    places = [RANKS.index(rank) for rank in ranks]
    start = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or places[end] != places[end - 1] + 1:
            yield ranks[start], ranks[end - 1]
            start = end


def offered(value: Value, values: Container[Value]) -> Value:
    if value not in values:
        raise NotOffered
    return value


def _known(find: Callable[[UUID], Mapping[UUID, Row]], pk: UUID | None) -> Row | None:
    if pk is None:
        return None
    rows = find(pk)
    return rows[offered(pk, rows)]


def _id(text: str | None) -> UUID | None:
    if not text:
        return None
    if (pk := as_uuid(text)) is None:
        raise NotOffered
    return pk


def person(text: str) -> str:
    if text in ("", NOBODY, MINE):
        return text
    pk = _id(text)
    return str(offered(pk, STAFF.all(pk) if pk else ()))


def _days(text: str, choices: Sequence[int]) -> int:
    return int(offered(text, [str(days) for days in choices])) if text else 0


def _unrecognized_value(text: str | None) -> UnrecognizedValue | None:
    if not text:
        return None
    known = UnrecognizedValue.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 18 else None
    if known is None:
        raise NotOffered
    return known
