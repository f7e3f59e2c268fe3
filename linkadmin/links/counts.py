"""How many links are in each state: exact at any time, without counting links.

The transaction that changes a state appends a move. `fold` adds moves to the current and daily counts. Reads use both.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum, Value
from django.db.models.functions import TruncDate

from linkadmin.integrations.models import Integration

from .models import VERIFYING, CountMove, DailyCount, HealthChange, Link, LinkCount

FOLDED_AT_ONCE = 5000  # moves


class CountKey(NamedTuple):
    """What is counted separately."""

    institution: UUID | None
    state: str


def move(link: Link, *, before: str, at: datetime) -> None:
    if before != link.shown_state:
        _move_of(link, before, at).save(force_insert=True)


def add(links: Iterable[Link], *, at: datetime) -> None:
    CountMove.objects.bulk_create([_move_of(link, "", at) for link in links])


def current(**among: object) -> Counter[str]:
    """`among` limits the count to an integration or institution."""
    return sum(by_integration(**among).values(), Counter())


def by_integration(**among: object) -> dict[UUID, Counter[str]]:
    counted: dict[UUID, Counter[str]] = defaultdict(Counter)
    # One statement: a fold between two would lose a move or count it twice.
    parts = LinkCount.objects.filter(**among).order_by()
    stood = parts.values_list("integration", "state").annotate(n=Sum("links"))
    came, went = _moved(CountMove.objects.filter(**among), "integration")
    for integration, state, n in stood.union(came, went, all=True):
        counted[integration][state] += n
    return {integration: +by_state for integration, by_state in counted.items() if +by_state}


def trend(days: int, *, today: date) -> dict[date, Counter[str]]:
    """Counts at the end of each day (UTC), oldest first."""
    since = today - timedelta(days=days - 1)
    net = _net_by_day(since)
    stood = current()
    found = {}
    for back in range(days):
        day = today - timedelta(days=back)
        found[day] = +stood
        stood.subtract(net[day])
    return dict(sorted(found.items()))


def fold() -> int:
    """Returns how many moves it added to the counts."""
    if not LinkCount.objects.exists() and Link.objects.exists():
        recount()
    waiting = CountMove.objects.order_by().values_list("integration", flat=True).distinct()
    return sum(_fold_of(integration) for integration in list(waiting))


@transaction.atomic
def recount() -> None:
    for integration in Integration.objects.select_for_update(no_key=True).order_by("pk"):  # nobody folds meanwhile
        _recount_now(integration)
        if not DailyCount.objects.filter(integration=integration).exists():
            _recount_days(integration)


@transaction.atomic
def _fold_of(integration_id: UUID) -> int:
    # One fold at a time: two would count the same moves.
    Integration.objects.select_for_update(no_key=True).get(pk=integration_id)
    moves = list(CountMove.objects.filter(integration=integration_id).order_by("pk")[:FOLDED_AT_ONCE])
    now: Counter[CountKey] = Counter()
    entered: Counter[tuple[date, CountKey]] = Counter()
    left: Counter[tuple[date, CountKey]] = Counter()
    for each in moves:
        to = CountKey(each.institution_id, each.new)
        now[to] += each.links
        entered[each.day, to] += each.links
        if each.old:
            away = CountKey(each.institution_id, each.old)
            now[away] -= each.links
            left[each.day, away] += each.links
    for key, n in now.items():
        _add_now(integration_id, key, n)
    for day, key in entered.keys() | left.keys():
        _add_day(integration_id, day, key, entered[day, key], left[day, key])
    CountMove.objects.filter(pk__in=[each.pk for each in moves]).delete()
    return len(moves)


def _add_now(integration_id: UUID, key: CountKey, links: int) -> None:
    rows = LinkCount.objects.filter(integration=integration_id, institution=key.institution, state=key.state)
    if links and not rows.update(links=F("links") + links):
        LinkCount.objects.create(
            integration_id=integration_id, institution_id=key.institution, state=key.state, links=links
        )


def _add_day(integration_id: UUID, day: date, key: CountKey, entered: int, left: int) -> None:
    rows = DailyCount.objects.filter(integration=integration_id, institution=key.institution, day=day, state=key.state)
    if not rows.update(entered=F("entered") + entered, left=F("left") + left):
        DailyCount.objects.create(
            integration_id=integration_id,
            institution_id=key.institution,
            day=day,
            state=key.state,
            entered=entered,
            left=left,
        )


def _recount_now(integration: Integration) -> None:
    links = integration.links.order_by()
    plain = links.filter(verifying_since=None).values_list("institution", "health").annotate(n=Count("pk"))
    verifying = links.filter(verifying_since__isnull=False).values_list("institution", Value(VERIFYING))
    # Pending moves are added later.
    came, went = _moved(CountMove.objects.filter(integration=integration), "institution", sign=-1)
    rows: Counter[CountKey] = Counter()
    # One statement, so that it sees each change of a link together with its move.
    for institution, state, n in plain.union(verifying.annotate(n=Count("pk")), came, went, all=True):
        rows[CountKey(institution, state)] += n
    LinkCount.objects.filter(integration=integration).delete()
    LinkCount.objects.bulk_create(
        [
            LinkCount(integration=integration, institution_id=key.institution, state=key.state, links=n)
            for key, n in rows.items()
            if n
        ]
    )


def _recount_days(integration: Integration) -> None:
    changes = HealthChange.objects.filter(link__integration=integration).order_by()
    by_day = changes.annotate(day=TruncDate("at", tzinfo=UTC))
    moves = CountMove.objects.filter(integration=integration).order_by()
    entered, left = Counter[tuple[date, CountKey]](), Counter[tuple[date, CountKey]]()
    came = by_day.values_list("day", "link__institution", "new").annotate(n=Count("pk"))
    went = by_day.exclude(old="").values_list("day", "link__institution", "old").annotate(n=Count("pk"))
    for day, institution, state, n in came:
        entered[day, CountKey(institution, state)] += n
    for day, institution, state, n in went:
        left[day, CountKey(institution, state)] += n
    # Pending moves are added later.
    for each in moves:
        entered[each.day, CountKey(each.institution_id, each.new)] -= each.links
        left[each.day, CountKey(each.institution_id, each.old)] -= each.links
    DailyCount.objects.bulk_create(
        [
            DailyCount(
                integration=integration,
                institution_id=key.institution,
                day=day,
                state=key.state,
                entered=max(0, entered[day, key]),
                left=max(0, left[day, key]),
            )
            for day, key in (+entered).keys() | (+left).keys()
        ],
        batch_size=500,
    )


def _net_by_day(since: date) -> dict[date, Counter[str]]:
    folded = DailyCount.objects.filter(day__gte=since).order_by()
    parts = folded.values_list("day", "state").annotate(n=Sum("entered") - Sum("left"))
    came, went = _moved(CountMove.objects.filter(day__gte=since), "day")
    net: dict[date, Counter[str]] = defaultdict(Counter)
    for day, state, n in parts.union(came, went, all=True):
        net[day][state] += n
    return net


def _moved(moves: "QuerySet[CountMove]", column: str, *, sign: int = 1) -> "tuple[QuerySet[Any], QuerySet[Any]]":
    """Links that left a state are negative numbers. A `sign` of -1 inverts both."""
    rows: QuerySet[Any] = moves.order_by()
    came = rows.values_list(column, "new").annotate(n=sign * Sum("links"))
    went = rows.exclude(old="").values_list(column, "old").annotate(n=-sign * Sum("links"))
    return came, went


def _move_of(link: Link, before: str, at: datetime) -> CountMove:
    return CountMove(
        integration_id=link.integration_id,
        institution_id=link.institution_id,
        day=at.astimezone(UTC).date(),
        old=before,
        new=link.shown_state,
    )
