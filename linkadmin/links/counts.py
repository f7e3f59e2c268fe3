"""How many links are in each state: exact at any time, without counting links.

The transaction that changes a link appends a move. `count_upkeep` adds moves to the current and daily counts. Each read
takes both in one statement: a fold between two would lose a move or count it twice.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, QuerySet, Sum

from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations.models import Integration
from linkadmin.providers.types import HealthState

from .models import CountMove, DailyTotal, Institution, Link, LinkCount, LinkTotal


class CountKey(NamedTuple):
    """What a link is counted under, beside its integration."""

    institution: UUID | None
    state: str


class Move(NamedTuple):
    integration: UUID
    institution: UUID | None
    day: date
    old: str
    new: str


def key_of(link: Link) -> CountKey:
    return CountKey(link.institution_id, link.shown_state)


def note(changed: Iterable[tuple[Link, CountKey | None]], *, at: datetime) -> None:
    """Call it in the transaction of the change, with each link's key before it. None is a new link."""
    moves = Counter(move for link, before in changed for move in _moves_of(link, before, at))
    CountMove.objects.bulk_create(
        CountMove(
            integration_id=move.integration,
            institution_id=move.institution,
            day=move.day,
            old=move.old,
            new=move.new,
            links=links,
        )
        for move, links in moves.items()
    )


def current(*, integration: Integration | None = None, institution: Institution | None = None) -> Counter[str]:
    if institution is not None:
        return by_institution([institution.pk])[institution.pk]
    counted = by_integration()
    return sum(counted.values(), Counter()) if integration is None else counted[integration.pk]


def by_integration() -> dict[UUID, Counter[str]]:
    return _summed((UUID(str(pk)), state, links) for pk, state, links in _BY_INTEGRATION.rows())


def by_institution(institutions: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """Without links that have no institution."""
    stood = LinkCount.objects.filter(institution__in=institutions).order_by()
    moves = moved(CountMove.objects.filter(institution__in=institutions), "institution")
    return _summed(stood.values_list("institution", "state", "links").union(*moves, all=True))


def waiting_by_institution() -> Counter[UUID]:
    """How many links wait on each bank."""
    found = _summed((UUID(str(pk)), state, links) for pk, state, links in _WAITING.rows())
    return +Counter({pk: by_state[HealthState.WAITING.value] for pk, by_state in found.items()})


def trend(days: int, *, today: date) -> dict[date, Counter[str]]:
    """Counts at the end of each day (UTC), oldest first."""
    net = _net_by_day(today - timedelta(days=days - 1))
    stood = current()
    found = {}
    for back in range(days):
        day = today - timedelta(days=back)
        found[day] = +stood
        stood.subtract(net[day])
    return dict(sorted(found.items()))


def moved(
    moves: "QuerySet[CountMove]", *columns: Any, came: int = 1, went: int = -1
) -> "tuple[QuerySet[Any], QuerySet[Any]]":
    """Links by the state they entered, and by the one they left, each times a sign."""
    rows: QuerySet[Any] = moves.order_by()
    entered = rows.exclude(new="").values_list(*columns, "new").annotate(n=came * Sum("links"))
    left = rows.exclude(old="").values_list(*columns, "old").annotate(n=went * Sum("links"))
    return entered, left


def _moves_of(link: Link, before: CountKey | None, at: datetime) -> Iterator[Move]:
    now, day = key_of(link), at.astimezone(UTC).date()
    if before is None or before.institution == now.institution:
        old = before.state if before else ""
        if old != now.state:
            yield Move(link.integration_id, now.institution, day, old, now.state)
    else:
        yield Move(link.integration_id, before.institution, day, before.state, "")
        yield Move(link.integration_id, now.institution, day, "", now.state)


def _stood_and_moved() -> "QuerySet[Any]":
    stood = LinkTotal.objects.order_by().values_list("integration", "state", "links")
    return stood.union(*moved(CountMove.objects.all(), "integration"), all=True)


def _waited_and_moved() -> "QuerySet[Any]":
    waits = LinkCount.objects.filter(state=HealthState.WAITING.value).exclude(links=0).order_by()
    moves = CountMove.objects.filter(institution__isnull=False)
    return waits.values_list("institution", "state", "links").union(*moved(moves, "institution"), all=True)


_BY_INTEGRATION = CompiledQuery(_stood_and_moved, types=())
_WAITING = CompiledQuery(_waited_and_moved, types=())


def _summed(rows: Iterable[tuple[UUID, str, int]]) -> dict[UUID, Counter[str]]:
    counted: dict[UUID, Counter[str]] = defaultdict(Counter)
    for pk, state, links in rows:
        counted[pk][state] += links
    return defaultdict(Counter, {pk: +by_state for pk, by_state in counted.items()})


def _net_by_day(since: date) -> dict[date, Counter[str]]:
    folded = DailyTotal.objects.filter(day__gte=since).order_by()
    parts = folded.values_list("day", "state", F("entered") - F("left"))
    net: dict[date, Counter[str]] = defaultdict(Counter)
    for day, state, links in parts.union(*moved(CountMove.objects.filter(day__gte=since), "day"), all=True):
        net[day][state] += links
    return net
