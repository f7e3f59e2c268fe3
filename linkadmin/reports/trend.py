"""How many links needed whom on each of the last 90 days."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from linkadmin.links import counts
from linkadmin.links.causes import Group
from linkadmin.links.counts import Trend
from linkadmin.links.group_counts import LOOKS
from linkadmin.links.queries import group_counts

DAYS = 90
HEIGHT = 20  # units of a curve
KINDS = ("customer", "wait", "us", "fine")
WEEK = 7  # days between two lines of the table


@dataclass(frozen=True, slots=True)
class Curve:
    """One group over time, drawn to its own height: trouble would not be seen beside what works."""

    label: str
    tone: str
    icon: str
    points: str  # of a polygon, a step wide for each day
    now: int
    words: str


@dataclass(frozen=True, slots=True)
class Cell:
    label: str  # of its column, where the table is narrow
    count: int


@dataclass(frozen=True, slots=True)
class TrendLine:
    """One day of the table."""

    day: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class TrendChart:
    curves: list[Curve]
    lines: list[TrendLine]

    @property
    def pairs(self) -> tuple[list[Curve], ...]:
        """The curves as they stand: two above each other, and the same beside them."""
        return self.curves[:2], self.curves[2:]


def trend_chart() -> TrendChart | None:
    """Return the curves of the last days, and the same as a table by weeks; None while there are no links."""
    days = counts.trend(DAYS, today=timezone.now().astimezone(UTC).date())
    by_day = [(each.day, _groups(each)) for each in days]
    if not any(groups.total() for _day, groups in by_day):
        return None
    curves = [_curve(kind, [groups[kind] for _day, groups in by_day]) for kind in KINDS]
    return TrendChart(curves, [_line(day, groups) for day, groups in by_day[::-WEEK]])


def _groups(day: Trend) -> Counter[str]:
    sums = group_counts(day.states)
    return Counter({kind: sums[kind] for kind in KINDS})


def _curve(kind: str, heights: list[int]) -> Curve:
    tone, icon = LOOKS[kind]
    said = {"first": heights[0], "most": max(heights), "now": heights[-1]}
    words = _("%(first)d ninety days ago, %(most)d at most, %(now)d now") % said
    return Curve(str(Group(kind).label), tone, icon, _steps(heights), heights[-1], words)


def _steps(heights: list[int]) -> str:
    """Return the outline of so many columns side by side."""
    scale = HEIGHT / max(1, *heights)
    corners = [f"0,{HEIGHT}"]
    for x, height in enumerate(heights):
        y = round(HEIGHT - height * scale, 2)
        corners += [f"{x},{y:g}", f"{x + 1},{y:g}"]
    return " ".join([*corners, f"{len(heights)},{HEIGHT}"])


def _line(day: date, groups: Counter[str]) -> TrendLine:
    return TrendLine(date_format(day, "j M Y"), [Cell(str(Group(kind).label), groups[kind]) for kind in KINDS])
