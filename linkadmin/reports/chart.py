"""Draws links that aren't working over 90 days: stacked areas on one scale, and a table with the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from math import ceil, log10

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy

from linkadmin.links.causes import Group
from linkadmin.links.queries import NOT_WORKING
from linkadmin.timestamps import day_words
from linkadmin.web.flat_parts import FlatPart

from .trend import DAYS, Trend

HEIGHT = 100  # units of the drawing
MOST_INTERVALS = 4  # of the scale
DATES = 7  # on the axis, at equal distances
STEPS = (1, 2, 2.5, 5, 10)
TONES = {Group.CUSTOMER: "warn", Group.WAIT: "info", Group.US: "us"}
LABELS = {
    Group.CUSTOMER: gettext_lazy("Customer"),
    Group.WAIT: gettext_lazy("Bank/provider"),
    Group.US: gettext_lazy("Us"),
}

_AREA = FlatPart("reports/_chart_area.html")
_DATE = FlatPart("reports/_chart_date.html")
_DAY = FlatPart("reports/_chart_day.html")
_KEY = FlatPart("reports/_chart_key.html")


@dataclass(frozen=True, slots=True)
class Chart:
    """Markup of its parts, and the labels of the table's columns."""

    areas: str
    grid: str  # a path
    scale: tuple[int, ...]  # from top to bottom
    dates: str
    days: str
    key: str
    labels: tuple[str, ...]


def draw_chart(trend: Trend, *, may_view_links: bool) -> Chart:
    series = tuple(trend.of(group) for group in NOT_WORKING)
    return _drawn(series, trend.today, reverse("link-list") if may_view_links else "", get_language())


@lru_cache(maxsize=20)
def _drawn(series: tuple[tuple[int, ...], ...], today: date, url: str, _language: str | None) -> Chart:
    labels = tuple(str(LABELS[group]) for group in NOT_WORKING)
    totals = [sum(day) for day in zip(*series, strict=True)]
    step = _step(max(totals) / MOST_INTERVALS)
    scale = range(step * max(1, ceil(max(totals) / step)), -1, -step)
    return Chart(
        areas=_areas(series, scale[0], url),
        grid="".join(f"M0 {HEIGHT * each / (len(scale) - 1):.4g}H{DAYS - 1}" for each in range(len(scale))),
        scale=tuple(scale),
        dates=_dates(today),
        days=_days(series, totals, labels, today),
        key=_key([each[-1] for each in series], labels, url),
        labels=labels,
    )


def _step(least: float) -> int:
    """The next round number, so that people can read the scale."""
    power = 10 ** max(0, ceil(log10(least)) - 1) if least > 1 else 1
    return next(round(step * power) for step in STEPS if step * power >= least and step * power % 1 == 0)


def _areas(series: Sequence[Sequence[int]], top: int, url: str) -> str:
    stacked = list(accumulate(series, lambda below, own: [sum(each) for each in zip(below, own, strict=True)]))
    floors = [[0] * DAYS, *stacked]
    return _AREA.fill(
        {
            "tone": TONES[group],
            "url": url and f"{url}?state={group.value}",
            "points": " ".join([*_points(upper, top), *reversed(_points(lower, top))]),
        }
        for group, upper, lower in zip(NOT_WORKING, stacked, floors, strict=False)
    )


def _points(heights: Sequence[int], top: int) -> list[str]:
    return [f"{day},{HEIGHT - HEIGHT * height / top:.4g}" for day, height in enumerate(heights)]


def _dates(today: date) -> str:
    last = DAYS - 1
    anchors = {0: "start", DATES - 1: "end"}
    places = [round(each * last / (DATES - 1)) for each in range(DATES)]
    return _DATE.fill(
        {
            "x": round(100 * place / last, 2),
            "anchor": anchors.get(each, "middle"),
            "day": day_words(today - timedelta(days=last - place), "MONTH_DAY_FORMAT"),
        }
        for each, place in enumerate(places)
    )


def _days(series: Sequence[Sequence[int]], totals: Sequence[int], labels: Sequence[str], today: date) -> str:
    """Lines of the table, the latest day first."""
    named = {f"{group.value}_label": label for group, label in zip(NOT_WORKING, labels, strict=True)}
    return _DAY.fill(
        {
            "day": day_words(today - timedelta(days=back)),
            "total": totals[-1 - back],
            **named,
            **{group.value: links[-1 - back] for group, links in zip(NOT_WORKING, series, strict=True)},
        }
        for back in range(DAYS)
    )


def _key(now: Sequence[int], labels: Sequence[str], url: str) -> str:
    return _KEY.fill(
        {
            "tone": TONES[group],
            "label": label,
            "count": links,
            "url": url and f"{url}?state={group.value}",
        }
        for group, links, label in zip(NOT_WORKING, now, labels, strict=True)
    )
