"""The last 90 days of a link, one bar per day, colored by its worst state."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.compiled_query import CompiledQuery, Sql, as_sql
from linkadmin.providers.types import HealthState
from linkadmin.web.flat_parts import FlatPart

from .causes import STATES
from .models import HealthChange, Link

DAYS = 90
_BAR = FlatPart("links/_health_bar.html")


@dataclass(frozen=True, slots=True)
class HealthCalendar:
    bars: str  # drawn
    words: str  # the same in words, for screen readers


def _changes(link: UUID, midnight: datetime) -> Sql:
    """The changes since midnight, and the one before. As text, times needn't be parsed to be compared."""
    changes = HealthChange.objects.filter(link=link)
    facts = (Cast("at", TextField()), "id", "new")
    before, key = as_sql(changes.filter(at__lt=midnight).order_by("-at", "-id").values_list(*facts)[:1])
    since, keys = as_sql(changes.filter(at__gte=midnight).values_list(*facts))
    return f"SELECT * FROM ({before}) AS before UNION ALL {since}", key + keys  # noqa: S608 - our own SQL


_CHANGES = CompiledQuery(_changes, types=(UUID, datetime))


def health_calendar(link: Link, *, today: date) -> HealthCalendar:
    """Days are those of the reader's time zone."""
    days, midnight, starts = _days_until(today, timezone.get_current_timezone())
    before, since = None, []
    for at, _pk, new in sorted(_CHANGES.rows(link.pk, midnight)):
        number = bisect_right(starts, at) - 1
        if number < 0:
            before = HealthState(new)
        else:
            since.append((days[number], HealthState(new)))
    worst = dict(worst_by_day(since, first=days[0], last=today, before=before))
    bars = ({"tone": STATES[state].tone, "x": str((day - days[0]).days)} for day, state in worst.items())
    return HealthCalendar(_BAR.fill(bars), _in_words(Counter(worst.values())))


@lru_cache(maxsize=100)
def _days_until(today: date, zone: tzinfo) -> tuple[list[date], datetime, list[str]]:
    """The days, when the first one starts, and when each does as SQLite stores it."""
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    midnights = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in days]
    return days, midnights[0], [f"{midnight:%Y-%m-%d %H:%M:%S}" for midnight in midnights]


def worst_by_day(
    changes: Iterable[tuple[date, HealthState]], *, first: date, last: date, before: HealthState | None
) -> Iterator[tuple[date, HealthState]]:
    """Skips days before the link was known. `before` is the state at the start of the first day."""
    by_day: dict[date, list[HealthState]] = {}
    for day, state in changes:
        by_day.setdefault(day, []).append(state)
    stands = before
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        states = [*filter(None, [stands]), *by_day.get(day, [])]
        if states:
            yield day, min(states, key=lambda state: STATES[state].rank)
            stands = states[-1]


def _in_words(days: Counter[HealthState]) -> str:
    total = days.total()
    if not total:
        return _("Nothing recorded yet.")
    order = sorted(days, key=lambda state: (state is not HealthState.HEALTHY, -days[state], STATES[state].rank))
    whole = ngettext("%(state)s on %(count)d of %(total)d day", "%(state)s on %(count)d of %(total)d days", total)
    said = [whole % {"state": STATES[order[0]].label, "count": days[order[0]], "total": total}]
    said += [_("%(state)s on %(count)d") % {"state": STATES[state].label, "count": days[state]} for state in order[1:]]
    return "; ".join(said)
