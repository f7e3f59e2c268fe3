"""How many links waited on whom on each of the last 90 days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.links import counts
from linkadmin.links.causes import Group
from linkadmin.links.group_counts import LOOKS
from linkadmin.timestamps import day_words
from linkadmin.web.flat_parts import FlatPart
from linkadmin.web.icons import icon

DAYS = 90
HEIGHT = 20  # units of a curve
KINDS = ("customer", "wait", "us", "fine")
WEEK = 7  # days between two rows of the table

# Corners of a polygon with a step for each day.
_STEPS = " ".join([f"0,{HEIGHT}", *(f"{x},%.4g {x + 1},%.4g" for x in range(DAYS)), f"{DAYS},{HEIGHT}"])
_CURVE = FlatPart("reports/_trend_curve.html")
_DAY = FlatPart("reports/_trend_day.html")


@dataclass(frozen=True, slots=True)
class TrendChart:
    """Markup of two columns of curves and of the table's lines, and the labels of its columns."""

    columns: tuple[str, str]
    days: str
    labels: list[str]


def trend_chart() -> TrendChart | None:
    """None while there are no links."""
    today = timezone.now().astimezone(UTC).date()
    by_state = counts.trend(DAYS, today=today)
    by_kind = {kind: _sums(by_state, Group(kind)) for kind in KINDS}
    if not any(map(any, by_kind.values())):
        return None
    labels = {kind: str(Group(kind).label) for kind in KINDS}
    since = day_words(today - timedelta(days=DAYS - 1), "MONTH_DAY_FORMAT")
    curves = [_curve(kind, labels[kind], heights, since) for kind, heights in by_kind.items()]
    columns = _CURVE.fill(curves[:2]), _CURVE.fill(curves[2:])
    return TrendChart(columns, _days(by_kind, labels, today), list(labels.values()))


def _sums(by_state: Mapping[str, list[int]], group: Group) -> list[int]:
    found = [by_state[state.value] for state in group.states if state.value in by_state]
    return [sum(day) for day in zip(*found, strict=True)] if found else [0] * DAYS


def _curve(kind: str, label: str, heights: list[int], since: str) -> dict[str, object]:
    """One group over time, on its own scale: the few failing links would be invisible beside the working ones."""
    tone, icon_name = LOOKS[kind]
    figures = {"first": heights[0], "day": since, "most": max(heights), "now": heights[-1]}
    return {
        "label": label,
        "tone": tone,
        "icon": icon(icon_name),
        "points": _steps(heights),
        "now": heights[-1],
        "words": _("%(now)d now · peak %(most)d · %(first)d on %(day)s") % figures,
    }


def _steps(heights: list[int]) -> str:
    scale = HEIGHT / max(1, *heights)
    levels = [HEIGHT - height * scale for height in heights]
    return _STEPS % tuple([level for level in levels for _end in (0, 1)])


def _days(by_kind: Mapping[str, list[int]], labels: Mapping[str, str], today: date) -> str:
    named = {f"{kind}_label": label for kind, label in labels.items()}
    return _DAY.fill(
        {
            "day": day_words(today - timedelta(days=back)),
            **named,
            **{kind: heights[-1 - back] for kind, heights in by_kind.items()},
        }
        for back in range(0, DAYS, WEEK)
    )
