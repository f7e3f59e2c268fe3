"""Keeps the counts right: adds moves to them, and compares them with the links.

`fold` adds pending moves to the counts; two folds never take the same move. `recount` compares the counts with the
links without locking them: links minus pending moves minus counts is a count's error, and neither a change nor a fold
alters that. It reads all three in one statement, so it sees a change together with its moves. The first recount also
fills the days before it, while nothing has been folded yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Sum, UUIDField, Value, When
from django.db.models.functions import Coalesce, TruncDate

from linkadmin.integrations.models import Integration
from linkadmin.providers.types import HealthState

from .counts import moved
from .models import (
    VERIFYING,
    CountMove,
    DailyCount,
    DailyTotal,
    HealthChange,
    Institution,
    Link,
    LinkCount,
    LinkTotal,
    Recount,
    StaffCount,
    StaffMove,
)
from .models.counts import Key

FOLDED_AT_ONCE = 2000  # moves; SQLite's only lock is held meanwhile

ANY, TOTALS, COUNTS, OWN, ASSIGNED, MINE, RECOUNTS = range(7)  # what a row of the comparison is about
ENTERED, LEFT = range(2)
PLACE = ("integration", "institution")
NOWHERE, ANYWHERE = Value(None, output_field=UUIDField()), Value("")  # no institution, both environments
_ACTIVE = LinkCount.objects.filter(institution=OuterRef("pk")).exclude(state=HealthState.DISCONNECTED.value).order_by()
ACTIVE_LINKS = _ACTIVE.values("institution").annotate(n=Sum("links")).values("n")
SHOWN_STATE = Case(When(verifying_since__isnull=False, then=Value(VERIFYING)), default=F("health"))

logger = structlog.get_logger(__name__)


class Flow(NamedTuple):
    """Links that entered or left a state."""

    integration: UUID
    institution: UUID | None
    environment: str
    day: date
    state: str
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far each count is off, and how many recounts there were before."""

    totals: Counter[Key]
    counts: Counter[Key]
    assigned: Counter[Key]
    mine: Counter[Key]
    recounts: int

    @property
    def staff(self) -> dict[Key, tuple[int, ...]]:
        return {key: (self.assigned[key], self.mine[key]) for key in {*self.assigned, *self.mine}}

    @property
    def wrong(self) -> int:
        single = (*self.totals.values(), *self.counts.values())
        return sum(map(bool, single)) + sum(map(any, self.staff.values()))


def fold() -> int:
    """Returns how many moves it added to the counts."""
    if not Recount.objects.filter(of_staff=True).exists():
        recount()  # links may be older than their counts
    return _fold_all(_fold_some) + _fold_all(_fold_staff)


def recount() -> int:
    """Returns how many counts were wrong. The first one also counts each day's status changes before it."""
    found = compare()
    is_first = not found.recounts
    if is_first:
        _fill_days(list(_history()))
    try:
        _correct(found)
    except IntegrityError:  # another recount was faster
        return 0
    if found.wrong and not is_first:
        logger.warning("counts.corrected", counts=found.wrong)
    return found.wrong


def compare() -> Comparison:
    totals, counts, assigned, mine, recounts = Counter[Key](), Counter[Key](), Counter[Key](), Counter[Key](), 0
    for about, owner, institution, environment, state, links in _compared():
        if about == RECOUNTS:
            recounts = max(recounts, links)
        if about in (ANY, TOTALS):
            totals[owner, state] += links
        if about in (ANY, COUNTS) and institution:
            counts[institution, state, owner] += links
        if about in (OWN, ASSIGNED):
            assigned[owner, environment, state] += links
        if about in (OWN, MINE):
            mine[owner, environment, state] += links
    return Comparison(totals, counts, assigned, mine, recounts)


def _fold_all(fold_some: Callable[[], int]) -> int:
    folded = some = fold_some()
    while some == FOLDED_AT_ONCE:
        folded += (some := fold_some())
    return folded


@transaction.atomic
def _fold_some() -> int:
    moves = list(CountMove.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")[:FOLDED_AT_ONCE])
    environments = _environments() if moves else {}
    flows = [flow for each in moves for flow in _flows(each, environments[each.integration_id])]
    LinkTotal.objects.add(_net(flows, "integration", "state"))
    _add_links_of_institutions(_net(_placed(flows), "institution", "state", "integration"))
    DailyTotal.objects.add(_by_day(flows))
    DailyCount.objects.add(_by_day_and_place(flows))
    CountMove.objects.filter(pk__in=[each.pk for each in moves]).delete()
    return len(moves)


@transaction.atomic
def _fold_staff() -> int:
    moves = list(StaffMove.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")[:FOLDED_AT_ONCE])
    sums = defaultdict[Key, tuple[int, ...]](lambda: (0, 0))
    for each in moves:
        key = each.person_id, each.environment, each.state
        assigned, mine = sums[key]
        sums[key] = assigned + each.assigned, mine + each.mine
    StaffCount.objects.add(sums)
    StaffMove.objects.filter(pk__in=[each.pk for each in moves]).delete()
    return len(moves)


@transaction.atomic
def _correct(found: Comparison) -> None:
    Recount.objects.create(id=found.recounts + 1, corrected=found.wrong, of_staff=True)
    LinkTotal.objects.add({key: (off,) for key, off in found.totals.items()})
    _add_links_of_institutions({key: (off,) for key, off in found.counts.items()})
    StaffCount.objects.add(found.staff)


def _add_links_of_institutions(by_key: Mapping[Key, tuple[int, ...]]) -> None:
    LinkCount.objects.add(by_key)
    active = Counter[UUID]()
    for (institution, state, _integration), (links,) in by_key.items():
        if state != HealthState.DISCONNECTED:
            active[institution] += links
    changed = Institution.objects.filter(pk__in=[pk for pk, links in active.items() if links])
    for pk, _name in sorted(changed.values_list("pk", "name"), key=itemgetter(1)):  # as lists are stored: no deadlocks
        institution = Institution.objects.filter(pk=pk)
        bool(institution.select_for_update(no_key=True))  # the sum then has what another fold added
        institution.update(active_links=Coalesce(Subquery(ACTIVE_LINKS), 0))


def _fill_days(flows: list[Flow]) -> None:
    DailyTotal.objects.fill(_by_day(flows))
    DailyCount.objects.fill(_by_day_and_place(flows))


def _by_day(flows: list[Flow]) -> dict[Key, tuple[int, ...]]:
    return _summed(flows, "environment", "day", "state")


def _by_day_and_place(flows: list[Flow]) -> dict[Key, tuple[int, ...]]:
    return _summed(_placed(flows), "institution", "day", "state", "integration")


def _flows(move: CountMove, environment: str) -> Iterator[Flow]:
    place = move.integration_id, move.institution_id, environment, move.day
    if move.new:
        yield Flow(*place, move.new, entered=move.links, left=0)
    if move.old:
        yield Flow(*place, move.old, entered=0, left=move.links)


def _environments() -> dict[UUID, str]:
    return dict(Integration.objects.values_list("pk", "environment"))


def _placed(flows: Iterable[Flow]) -> list[Flow]:
    return [flow for flow in flows if flow.institution]


def _net(flows: Iterable[Flow], *columns: str) -> dict[Key, tuple[int, ...]]:
    return {key: (entered - left,) for key, (entered, left) in _summed(flows, *columns).items()}


def _summed(flows: Iterable[Flow], *columns: str) -> dict[Key, tuple[int, ...]]:
    key_of, sums = attrgetter(*columns), defaultdict[Key, tuple[int, ...]](lambda: (0, 0))
    for flow in flows:
        entered, left = sums[key_of(flow)]
        sums[key_of(flow)] = entered + flow.entered, left + flow.left
    return sums


def _compared() -> "QuerySet[Any]":
    links: QuerySet[Any] = Link.objects.order_by()
    moves = moved(CountMove.objects.all(), Value(ANY), *PLACE, ANYWHERE, came=-1, went=1)
    totals = LinkTotal.objects.order_by().values_list(
        Value(TOTALS), "integration", NOWHERE, ANYWHERE, "state", -F("links")
    )
    counts = LinkCount.objects.order_by().values_list(Value(COUNTS), *PLACE, ANYWHERE, "state", -F("links"))
    recounts = Recount.objects.order_by().values_list(Value(RECOUNTS), NOWHERE, NOWHERE, ANYWHERE, Value(""), "id")
    stand: QuerySet[Any] = links.values_list(Value(ANY), *PLACE, ANYWHERE, SHOWN_STATE).annotate(n=Count("pk"))
    return stand.union(*moves, totals, counts, *_of_staff(), recounts, all=True)


def _of_staff() -> "Iterator[QuerySet[Any]]":
    links: QuerySet[Any] = Link.objects.order_by()
    assigned, managed = links.filter(assignee__isnull=False), links.filter(account_manager__isnull=False)
    of_others = managed.exclude(assignee=F("account_manager"))
    yield assigned.values_list(Value(OWN), "assignee", NOWHERE, "environment", SHOWN_STATE).annotate(n=Count("pk"))
    yield of_others.values_list(Value(MINE), "account_manager", NOWHERE, "environment", SHOWN_STATE).annotate(
        n=Count("pk")
    )
    for counted in (StaffCount.objects.order_by(), StaffMove.objects.order_by()):
        yield counted.values_list(Value(ASSIGNED), "person", NOWHERE, "environment", "state", -F("assigned"))
        yield counted.values_list(Value(MINE), "person", NOWHERE, "environment", "state", -F("mine"))


def _history() -> Iterator[Flow]:
    changes: QuerySet[Any] = HealthChange.objects.order_by().annotate(day=TruncDate("at", tzinfo=UTC))
    place = ("link__integration", "link__institution", "day")
    came = changes.values_list(Value(ENTERED), *place, "new").annotate(n=Count("pk"))
    went = changes.exclude(old="").values_list(Value(LEFT), *place, "old").annotate(n=Count("pk"))
    # Pending moves are in the history too, and are added later.
    pending_came, _went = moved(CountMove.objects.all(), Value(ENTERED), *PLACE, "day", came=-1)
    _came, pending_went = moved(CountMove.objects.all(), Value(LEFT), *PLACE, "day", went=-1)
    sums, environments = Counter[Key](), _environments()
    for *key, links in came.union(went, pending_came, pending_went, all=True):
        sums[tuple(key)] += links
    for (side, integration, institution, day, state), links in (+sums).items():
        entered, left = (links, 0) if side == ENTERED else (0, links)
        yield Flow(integration, institution, environments[integration], day, state, entered, left)
