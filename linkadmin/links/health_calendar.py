"""The last 90 days of a link, one cell per day in columns of weeks, colored by its worst state."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from linkadmin.compiled_query import CompiledQuery, Row, Sql
from linkadmin.providers.types import HealthState
from linkadmin.timestamps import day_words
from linkadmin.web.flat_parts import FlatPart

from .causes import STATES
from .models import Link

DAYS = 90
WEEK = 7
BEFORE = -1  # in place of a day's number
_DAY = FlatPart("links/_health_day.html")
_RANK = " ".join(["CASE new", *(f"WHEN '{state.value}' THEN {look.rank}" for state, look in STATES.items()), "END"])
_THAT_DAY = "FROM links_healthchange WHERE link_id = %s AND at >= start AND at < stop"
_BY_DAY = f"""
    WITH day (number, start, stop) AS (VALUES {", ".join(["(%s, %s, %s)"] * DAYS)})
    SELECT * FROM (
        SELECT {BEFORE}, new AS worst, new AS last FROM links_healthchange
        WHERE link_id = %s AND at < %s ORDER BY at DESC, id DESC LIMIT 1
    ) AS last_before
    UNION ALL
    SELECT number, (SELECT new {_THAT_DAY} ORDER BY {_RANK}, at, id LIMIT 1),
           (SELECT new {_THAT_DAY} ORDER BY at DESC, id DESC LIMIT 1)
    FROM day WHERE EXISTS (SELECT 1 {_THAT_DAY})
"""  # noqa: S608 - our own SQL


@dataclass(frozen=True, slots=True)
class HealthCalendar:
    days: str  # drawn
    words: str  # the same in words
    since: str  # the first day that is known
    share: str  # of days on which it worked


def health_calendar(link: Link, *, today: date, history_url: str) -> HealthCalendar:
    """Days are those of the reader's time zone. Those before the link was known are empty."""
    return _drawn(changes_by_day(link, today=today), today, history_url, get_language())


def changes_by_day(link: Link, *, today: date) -> tuple[Row, ...]:
    return tuple(_changes_by_day(today, timezone.get_current_timezone()).rows(link.pk))


@lru_cache(maxsize=50)  # of about 15 KB; most links change on few days
def _drawn(changes: tuple[Row, ...], today: date, history_url: str, _language: str) -> HealthCalendar:
    worst, first = worst_by_day(changes), today - timedelta(days=DAYS - 1)
    counted = Counter(worst.values())
    share = 100 * counted[HealthState.HEALTHY] // max(1, counted.total())
    return HealthCalendar(
        days=_DAY.fill(_cells(worst, first, history_url)),
        words=_in_words(counted),
        since=_("Since %(day)s") % {"day": day_words(first + timedelta(days=min(worst)))} if worst else "",
        share=_("%(share)d%% working") % {"share": share} if worst else "",
    )


def _cells(worst: dict[int, HealthState], first: date, history_url: str) -> Iterator[dict[str, object]]:
    empty: dict[str, object] = dict.fromkeys(["css", "text", "title", "is_empty", "url", "tone", "label", "place"], "")
    before = (first.isoweekday() - get_format("FIRST_DAY_OF_WEEK")) % WEEK  # days of the first week that aren't shown
    labels = _months(first, before)
    for place in range(-before, DAYS):
        day = first + timedelta(days=place)
        if (place + before) % WEEK == 0:
            yield empty | {"css": "calendar__month", "text": labels.get(place, "")}
        if place < 0:
            yield empty | {"css": "calendar__gap", "is_empty": True}
        elif place not in worst:
            yield empty | {"title": _("%(day)s: nothing recorded") % {"day": day_words(day)}, "is_empty": True}
        else:
            look = STATES[worst[place]]
            yield empty | {
                "url": f"{history_url}?day={day.isoformat()}",
                "tone": look.tone,
                "label": f"{day_words(day)}: {look.label}",
                "place": "0" if place == DAYS - 1 else "-1",
            }


def _months(first: date, before: int) -> dict[int, str]:
    """By the first place of the week in which each month begins. The month before needs space beside that."""
    starts = {}
    for place in range(DAYS):
        day = first + timedelta(days=place)
        if place == 0 or day.day == 1:
            starts[(place + before) // WEEK * WEEK - before] = date_format(day, "M")
    if len(starts) > 1 and sorted(starts)[1] == WEEK - before:
        del starts[-before]
    return starts


def worst_by_day(changes: tuple[Row, ...]) -> dict[int, HealthState]:
    """Days are numbered, the first of them 0."""
    changed = {number: (HealthState(worst_change), HealthState(last)) for number, worst_change, last in changes}
    worst, stands = {}, None
    for number in range(BEFORE, DAYS):
        worst_change, last = changed.get(number, (stands, stands))
        here = [state for state in (stands, worst_change) if state]
        if here and number != BEFORE:
            worst[number] = min(here, key=lambda state: STATES[state].rank)
        stands = last
    return worst


@lru_cache(maxsize=100)
def _changes_by_day(today: date, zone: tzinfo) -> CompiledQuery:
    """Of each day with changes of a link: its number, the most urgent state, and the last one.

    The database sums up: a link may change thousands of times. Day `BEFORE` has the last change until then.
    """
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    starts = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in days]
    bounds = [connection.ops.adapt_datetimefield_value(at) for at in (*starts, datetime.max.replace(tzinfo=UTC))]
    periods = [value for number in range(DAYS) for value in (number, *bounds[number : number + 2])]

    def build(link: UUID) -> Sql:
        return _BY_DAY, (*periods, link, bounds[0], link, link, link)

    return CompiledQuery(build)


def _in_words(days: Counter[HealthState]) -> str:
    total = days.total()
    if not total:
        return _("Nothing recorded yet.")
    order = sorted(days, key=lambda state: (state is not HealthState.HEALTHY, -days[state], STATES[state].rank))
    whole = ngettext("%(state)s on %(count)d of %(total)d day", "%(state)s on %(count)d of %(total)d days", total)
    said = [whole % {"state": STATES[order[0]].label, "count": days[order[0]], "total": total}]
    said += [_("%(state)s on %(count)d") % {"state": STATES[state].label, "count": days[state]} for state in order[1:]]
    return "; ".join(said)
