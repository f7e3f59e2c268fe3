"""Filters and orders of lists of links, read from a URL or a form. A fixed map: nothing else can be asked for."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from itertools import product
from operator import or_
from typing import TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.ids import as_uuid
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import ESCALATED_RANK, RENEWAL_RANK, STATES, VERDICTS, VERIFYING_LOOK, Group
from linkadmin.links.models import ESCALATE_AFTER, RANKED, VERIFYING, Institution, Link, UnrecognizedValue
from linkadmin.links.unrecognized_values import showing
from linkadmin.paging import Keyset, OldestIfNever
from linkadmin.providers.types import Cause, HealthState

from .known import INSTITUTIONS, INTEGRATIONS, STAFF

ESCALATE = "escalate"  # beside the states: waits so long that somebody should contact provider support
ACTIVE = "active"  # all that aren't disconnected
SOMEBODY = "somebody"  # all that wait on a customer or us
NOBODY, MINE = "nobody", "mine"  # beside the staff
OLDER = (1, 2, 7, 30, 90, 180, 365)  # days in the same state
CONSENT_ENDS = (7, 14, 30, 60, 90)  # days from today

ATTENTION, SINCE, LAST_SYNC, CUSTOMER = "attention", "since", "sync", "customer"
REVERSED = "-"
ORDERS: Mapping[str, tuple[str | OldestIfNever, ...]] = {
    ATTENTION: RANKED,
    SINCE: ("health_since", "id"),
    LAST_SYNC: (OldestIfNever("last_good_at"), "id"),
    CUSTOMER: ("end_user__name", "end_user__external_id", "id"),
}
BY_CUSTOMER_ID = ("end_user__external_id", "id")  # for readers who may not see names
SORTS = [f"{sign}{name}" for name in ORDERS for sign in ("", REVERSED)]


Value = TypeVar("Value")
Row = TypeVar("Row", Integration, Institution, User)


class NotOffered(Exception):
    """A filter has a value that it doesn't offer."""


def ranks_of(state: HealthState) -> set[int]:
    """All ranks that links in a state may have in the work list, unless their repair is being verified."""
    beside = {
        0: VERDICTS[Cause.CODE_WAITING].state,
        RENEWAL_RANK: VERDICTS[Cause.RENEW_SOON].state,
        ESCALATED_RANK: HealthState.WAITING,
    }
    return {STATES[state].rank, *(rank for rank, its_state in beside.items() if its_state is state)}


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

    query: QueryDict
    states: tuple[str, ...]
    integration: Integration | None
    institution: Institution | None
    assignee: str
    older: int
    consent: int
    customer: UUID | None
    unknown: UnrecognizedValue | None
    sort: str

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The form values that ask for the same again."""
        return [(name, value) for name in NAMES for value in self._values(name) if value]

    def keyset(self, *, see_names: bool) -> Keyset:
        columns = BY_CUSTOMER_ID if self._order == CUSTOMER and not see_names else ORDERS[self._order]
        return Keyset(*columns, newest_first=self.sort != self._order)

    def links(self, links: "QuerySet[Link]", reader: User) -> "QuerySet[Link]":
        return self._in_any_part(links).filter(reduce(or_, self._owners(reader)), reduce(or_, self._stretches()))

    def in_parts(self, links: "QuerySet[Link]", reader: User) -> "tuple[QuerySet[Link], list[Q]]":
        """For `Keyset.page`: the same links by disjoint conditions, so that it reads an index only where some match."""
        links = self._in_any_part(links)
        parts = [owner & stretch for owner, stretch in product(self._owners(reader), self._stretches())]
        # Links whose consent ends soon aren't in order in their index: find the first ones before reading their rows.
        return (links, parts) if len(parts) > 1 or self.consent else (links.filter(*parts), [])

    def _in_any_part(self, links: "QuerySet[Link]") -> "QuerySet[Link]":
        if self.states:
            links = links.filter(reduce(or_, map(_in_state, self.states)))
        if self.older:
            until = timezone.now() - timedelta(days=self.older)
            links = links.filter(Q(verifying_since=None) | Q(verifying_since__lte=until), health_since__lte=until)
        if self.consent:
            today = timezone.localdate()
            ends = Q(renew_by__range=(today, today + timedelta(days=self.consent)))
            links = links.filter(ends, urgency__lt=STATES[HealthState.DISCONNECTED].rank)
        equal = {"integration": self.integration, "institution": self.institution, "end_user": self.customer}
        links = links.filter(**{name: value for name, value in equal.items() if value})
        return showing(links.filter(disconnected_at=None), self.unknown) if self.unknown else links

    def _values(self, name: str) -> list[str]:
        # Only states can be combined. Of other values, the last one filters.
        values = self.query.getlist(name)
        return values if name == "state" else values[-1:]

    @property
    def _order(self) -> str:
        return self.sort.removeprefix(REVERSED)

    def _owners(self, reader: User) -> list[Q]:
        if self.assignee == MINE:
            elsewhere = Q(assignee=None) | ~Q(assignee=reader)
            return [Q(assignee=reader), Q(account_manager=reader) & elsewhere]
        if self.assignee == NOBODY:
            return [Q(assignee=None)]
        return [Q(assignee=self.assignee) if self.assignee else Q()]

    def _stretches(self) -> list[Q]:
        """Stretches of the work list's index. Within one rank, links are sorted by the time of their state."""
        ranks = sorted(set().union(*map(_ranks_of, self.states))) if self.states else RANKS
        if self.older or self._order == SINCE:
            return [Q(urgency=rank) for rank in ranks]
        if not self.states or self._order != ATTENTION:
            return [Q()]
        return [Q(urgency=first) if first == last else Q(urgency__range=(first, last)) for first, last in _runs(ranks)]


NAMES = ("state", "integration", "institution", "assigned", "older", "consent", "customer", "unknown", "sort")


def read(query: QueryDict) -> LinkFilter:
    """Raises `NotOffered`."""
    return LinkFilter(
        query=query,
        states=tuple(_offered(value, STATE_LABELS) for value in query.getlist("state") if value),
        integration=_known(INTEGRATIONS.all, _id(query.get("integration"))),
        institution=_known(lambda pk: INSTITUTIONS.some([pk]), _id(query.get("institution"))),
        assignee=_assignee(query.get("assigned", "")),
        older=_days(query.get("older", ""), OLDER),
        consent=_days(query.get("consent", ""), CONSENT_ENDS),
        customer=_id(query.get("customer")),
        unknown=_unrecognized_value(query.get("unknown")),
        sort=_offered(query.get("sort") or ATTENTION, SORTS),
    )


def _in_state(value: str) -> Q:
    if value == VERIFYING:
        return Q(verifying_since__isnull=False)
    if value == ACTIVE:
        return Q(disconnected_at=None) & ~Q(health=HealthState.DISCONNECTED.value)
    here = Q(health__in=[state.value for state in _states_of(value)], verifying_since=None)
    return here & Q(health_since__lte=timezone.now() - ESCALATE_AFTER) if value == ESCALATE else here


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


def _offered(value: Value, values: Container[Value]) -> Value:
    if value not in values:
        raise NotOffered
    return value


def _known(find: Callable[[UUID], Mapping[UUID, Row]], pk: UUID | None) -> Row | None:
    if pk is None:
        return None
    rows = find(pk)
    return rows[_offered(pk, rows)]


def _id(text: str | None) -> UUID | None:
    if not text:
        return None
    if (pk := as_uuid(text)) is None:
        raise NotOffered
    return pk


def _assignee(text: str) -> str:
    if text in ("", NOBODY, MINE):
        return text
    pk = _id(text)
    return str(_offered(pk, STAFF.all(pk) if pk else ()))


def _days(text: str, offered: Sequence[int]) -> int:
    return int(_offered(text, [str(days) for days in offered])) if text else 0


def _unrecognized_value(text: str | None) -> UnrecognizedValue | None:
    if not text:
        return None
    known = UnrecognizedValue.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 18 else None
    if known is None:
        raise NotOffered
    return known
