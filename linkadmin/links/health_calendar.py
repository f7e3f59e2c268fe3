"""The last 90 days of a link, one bar per day, colored by its worst state."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.providers.types import HealthState

from .causes import STATES
from .models import Link

DAYS = 90


@dataclass(frozen=True, slots=True)
class HealthCalendar:
    bars: list[tuple[int, str]]  # days from the left, and the state's tone
    words: str  # the same in words, for screen readers


def health_calendar(link: Link, *, today: date) -> HealthCalendar:
    """Days are those of the reader's time zone."""
    first = today - timedelta(days=DAYS - 1)
    midnight = timezone.make_aware(datetime.combine(first, time.min))
    changes = link.changes.order_by("at", "id").filter(at__gte=midnight).values_list("at", "new")
    before = link.changes.order_by("-at", "-id").filter(at__lt=midnight).values_list("new", flat=True).first()
    since = [(timezone.localdate(at), HealthState(new)) for at, new in changes]
    worst = dict(worst_by_day(since, first=first, last=today, before=HealthState(before) if before else None))
    bars = [((day - first).days, STATES[state].tone) for day, state in worst.items()]
    return HealthCalendar(bars, _in_words(Counter(worst.values())))


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
