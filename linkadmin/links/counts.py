"""How many links are in each state: exact at any time, without counting links.

The transaction that changes a link appends a move. `count_upkeep` adds moves to the current and daily counts. Each read
takes both in one statement: a fold between two would lose a move or count it twice.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Cast

from linkadmin.compiled_query import CompiledQuery, Row
from linkadmin.integrations.models import Integration
from linkadmin.providers.types import HealthState

from . import staff_moves
from .models import CountMove, DailyTotal, Institution, Link, LinkCount, LinkTotal
from .staff_moves import StaffKey

AT_ONCE = 50  # institutions of a statement


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
    changed = list(changed)
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
    staff_moves.note(
        (
            StaffKey(link.environment, before.state, *people) if before else None,
            StaffKey(link.environment, link.shown_state, *people),
        )
        for link, before in changed
        if any(people := (link.assignee_id, link.account_manager_id))
    )


def in_environment(environment: str) -> Counter[str]:
    by_state = Counter[str]()
    for state, links in _IN_ENVIRONMENT.rows(environment):
        by_state[state] += links
    return +by_state


def current(*, integration: Integration | None = None, institution: Institution | None = None) -> Counter[str]:
    if institution is not None:
        return by_institution([institution.pk])[institution.pk]
    return by_integration()[integration.pk] if integration else Counter()


def by_integration() -> dict[UUID, Counter[str]]:
    return _summed(_BY_INTEGRATION.rows())


def by_institution(institutions: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """Without links that have no institution."""
    wanted = list(institutions)
    groups = [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)]
    # Compiled for a full group: the last one repeats an institution.
    return _summed(row for some in groups for row in _BY_INSTITUTION.rows(*some, *some[:1] * (AT_ONCE - len(some))))


def most_waiting(number: int, environment: str, *, at_least: int) -> dict[UUID, int]:
    """The `number` institutions that most links wait on, and those that tie with the last."""
    waiting: Counter[Any] = Counter()
    for pk, state, links in _WAITING.rows(environment):
        if state == HealthState.WAITING.value:
            waiting[pk] += links
    least = max([at_least, *sorted(waiting.values(), reverse=True)[number - 1 : number]])
    return {UUID(str(pk)): links for pk, links in waiting.items() if links >= least}


def most_at(states: Sequence[HealthState], environment: str) -> tuple[UUID, int] | None:
    """The institution with most links in any of these states, and how many."""
    found = _most_at(tuple(state.value for state in states)).row(environment)
    return (UUID(str(found[0])), found[1]) if found and found[1] > 0 else None


def trend(days: int, environment: str, *, today: date) -> dict[str, list[int]]:
    """Links in each state at the end of each day (UTC), oldest first."""
    shown = [(today - timedelta(days=back)).isoformat() for back in range(days)]
    net: dict[str, dict[str | None, int]] = {}
    for day, state, links in _TREND.rows(date.fromisoformat(shown[-1]), environment):
        by_day = net.setdefault(state, {})
        by_day[day] = by_day.get(day, 0) + links
    return {state: _backwards(by_day.get(None, 0), by_day, shown) for state, by_day in net.items()}


def moved(
    moves: "QuerySet[CountMove]", *columns: Any, came: int = 1, went: int = -1
) -> "tuple[QuerySet[Any], QuerySet[Any]]":
    """Links per state entered and per state left, multiplied by the given signs."""
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


def stood_at(*institutions: UUID) -> "QuerySet[Any]":
    """Rows of institution, state, and links, to be summed up."""
    stood = LinkCount.objects.filter(institution__in=institutions).order_by()
    moves = moved(CountMove.objects.filter(institution__in=institutions), "institution")
    return stood.values_list("institution", "state", "links").union(*moves, all=True)


def _waited_and_moved(environment: str) -> "QuerySet[Any]":
    here = Q(integration__environment=environment)
    waits = LinkCount.objects.filter(here, state=HealthState.WAITING.value).exclude(links=0).order_by()
    moves = CountMove.objects.filter(here, institution__isnull=False)
    return waits.values_list("institution", "state", "links").union(*moved(moves, "institution"), all=True)


@cache
def _most_at(states: tuple[str, ...]) -> CompiledQuery:
    """Sums up in the database: hundreds of institutions have links in each state."""
    some = ", ".join(["%s"] * len(states))
    sql = f"""
        SELECT institution_id, SUM(links) AS n FROM (
            SELECT institution_id, links FROM links_linkcount WHERE state IN ({some})
            UNION ALL SELECT institution_id, links FROM links_countmove WHERE new IN ({some})
            UNION ALL SELECT institution_id, -links FROM links_countmove WHERE old IN ({some})
        ) AS counted JOIN links_institution ON links_institution.id = institution_id
        JOIN integrations_integration ON integrations_integration.id = integration_id AND environment = %s
        GROUP BY institution_id ORDER BY n DESC, institution_id LIMIT 1
    """  # noqa: S608 - our own SQL
    return CompiledQuery(lambda environment: (sql, (*states * 3, environment)), types=(str,))


def _stood_and_changed(since: date, environment: str) -> "QuerySet[Any]":
    # As text, which needn't be parsed. Without a day: how many there are now.
    day, now = Cast("day", TextField()), Value(None, output_field=TextField())
    here = Q(integration__environment=environment)
    totals = DailyTotal.objects.filter(environment=environment, day__gte=since).order_by()
    recent = moved(CountMove.objects.filter(here, day__gte=since), day)
    stood = LinkTotal.objects.filter(here).order_by().values_list(now, "state", "links")
    days = totals.values_list(day, "state", F("entered") - F("left"))
    return days.union(*recent, stood, *moved(CountMove.objects.filter(here), now), all=True)


def _stood_and_moved_in(environment: str) -> "QuerySet[Any]":
    here = Q(integration__environment=environment)
    stood = LinkTotal.objects.filter(here).order_by().values_list("state", "links")
    return stood.union(*moved(CountMove.objects.filter(here)), all=True)


_IN_ENVIRONMENT = CompiledQuery(_stood_and_moved_in, types=(str,))
_BY_INTEGRATION = CompiledQuery(_stood_and_moved, types=())
_BY_INSTITUTION = CompiledQuery(stood_at, types=(UUID,) * AT_ONCE)
_TREND = CompiledQuery(_stood_and_changed, types=(date, str))
_WAITING = CompiledQuery(_waited_and_moved, types=(str,))


def _summed(rows: Iterable[Row]) -> dict[UUID, Counter[str]]:
    counted: dict[Any, Counter[str]] = defaultdict(Counter)
    for pk, state, links in rows:
        counted[pk][state] += links
    return defaultdict(Counter, {UUID(str(pk)): +by_state for pk, by_state in counted.items()})


def _backwards(links: int, net: Mapping[str | None, int], days: Iterable[str]) -> list[int]:
    """Work back from today's total, then return the days oldest first."""
    found = []
    for day in days:
        found.append(links)
        links -= net.get(day, 0)
    return found[::-1]
