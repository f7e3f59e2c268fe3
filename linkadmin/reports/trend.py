"""How many links waited on whom on each of the last 90 days."""

from dataclasses import dataclass
from datetime import UTC, date

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from linkadmin.links import counts
from linkadmin.links.causes import Group
from linkadmin.links.group_counts import LOOKS
from linkadmin.links.queries import group_counts

DAYS = 90
HEIGHT = 20  # units of a curve
KINDS = ("customer", "wait", "us", "fine")
WEEK = 7  # days between two rows of the table


@dataclass(frozen=True, slots=True)
class Curve:
    """One group over time, on its own scale: the few failing links would be invisible beside the working ones."""

    label: str
    tone: str
    icon: str
    points: str  # of a polygon, one step per day
    now: int
    words: str


@dataclass(frozen=True, slots=True)
class TrendChart:
    curves: list[Curve]
    lines: list[tuple[str, list[tuple[str, int]]]]  # of the table: a day, and each group with its count

    @property
    def pairs(self) -> tuple[list[Curve], ...]:
        return self.curves[:2], self.curves[2:]


def trend_chart() -> TrendChart | None:
    """None while there are no links."""
    days = counts.trend(DAYS, today=timezone.now().astimezone(UTC).date())
    by_day = [(day, group_counts(states)) for day, states in days.items()]
    if not any(groups[kind] for _day, groups in by_day for kind in KINDS):
        return None
    curves = [_curve(kind, [groups[kind] for _day, groups in by_day], since=min(days)) for kind in KINDS]
    labels = [(kind, str(Group(kind).label)) for kind in KINDS]
    lines = [
        (date_format(day, "DATE_FORMAT"), [(label, groups[kind]) for kind, label in labels])
        for day, groups in by_day[::-WEEK]
    ]
    return TrendChart(curves, lines)


def _curve(kind: str, heights: list[int], *, since: date) -> Curve:
    tone, icon = LOOKS[kind]
    figures = {
        "first": heights[0],
        "day": date_format(since, "MONTH_DAY_FORMAT"),
        "most": max(heights),
        "now": heights[-1],
    }
    words = _("%(now)d now · peak %(most)d · %(first)d on %(day)s") % figures
    return Curve(str(Group(kind).label), tone, icon, _steps(heights), heights[-1], words)


def _steps(heights: list[int]) -> str:
    scale = HEIGHT / max(1, *heights)
    corners = [f"0,{HEIGHT}"]
    for x, height in enumerate(heights):
        y = round(HEIGHT - height * scale, 2)
        corners += [f"{x},{y:g}", f"{x + 1},{y:g}"]
    return " ".join([*corners, f"{len(heights)},{HEIGHT}"])
