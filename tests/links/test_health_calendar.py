"""The last 90 days of a link: the worst state of each, as bars and in words."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from linkadmin.links.health_calendar import worst_by_day
from linkadmin.links.models import HealthChange, Link
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("still")]

WORKS, WAITS, CODE, ENDED = (
    HealthState.HEALTHY,
    HealthState.WAITING,
    HealthState.CUSTOMER_CODE,
    HealthState.DISCONNECTED,
)
FIRST = date(2026, 3, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def worst(*changes: tuple[int, HealthState], before: HealthState | None = None, days: int = 4) -> list[str]:
    """Each day's worst state, empty where nothing was known."""
    found = dict(
        worst_by_day(((day(n), state) for n, state in changes), first=FIRST, last=day(days - 1), before=before)
    )
    return [found[day(n)].value if day(n) in found else "" for n in range(days)]


def test_state_lasts_until_the_next() -> None:
    assert worst((2, WAITS), before=WORKS) == ["healthy", "healthy", "waiting", "waiting"]


def test_day_is_as_bad_as_its_worst_hour() -> None:
    assert worst((1, CODE), (1, WAITS), (1, WORKS), before=WORKS) == ["healthy", "customer_code", "healthy", "healthy"]


def test_problem_from_the_day_before_counts_on_the_day_it_ends() -> None:
    assert worst((0, WAITS), (1, WORKS), before=WORKS)[:3] == ["waiting", "waiting", "healthy"]


def test_days_before_the_link_was_known_are_empty() -> None:
    assert worst((2, WORKS)) == ["", "", "healthy", "healthy"]


def test_link_that_ends_worked_on_its_last_day() -> None:
    assert worst((1, ENDED), before=WORKS) == ["healthy", "healthy", "disconnected", "disconnected"]


def history(env: Environment, *changes: tuple[float, Cause, HealthState]) -> Link:
    """A link whose states began this many days ago."""
    link = env.belvo_link(cause=Cause.WORKING)
    link.changes.all().delete()
    for ago, cause, state in changes:
        at = timezone.now() - timedelta(days=ago)
        HealthChange.objects.create(link=link, at=at, source="list", new=state.value, cause=cause.value)
    return link


def bars(page: Page) -> list[dict[str, str]]:
    rects = [each.attrs for each in page.elements if each.tag == "rect"]
    return [attrs for attrs in rects if attrs.get("class", "").startswith("tone-")]


def test_link_page_draws_a_bar_for_each_day_and_says_it_in_words(env: Environment) -> None:
    link = history(
        env,
        (200, Cause.WORKING, WORKS),
        (20, Cause.CODE_NEEDED, CODE),
        (16, Cause.BANK_DOWN, WAITS),
        (14, Cause.WORKING, WORKS),
    )

    page = env.open(link.get_absolute_url())

    tones = Counter(bar["class"] for bar in bars(page))
    assert tones == {"tone-ok": 83, "tone-warn": 5, "tone-info": 2}
    words = "Working on 83 of 90 days; One-time code needed on 5; Bank or provider issue on 2"
    assert words in page.words


def test_young_link_has_as_many_bars_as_days(env: Environment) -> None:
    link = history(env, (2, Cause.WORKING, WORKS))

    page = env.open(link.get_absolute_url())

    assert [bar["x"] for bar in bars(page)] == ["87", "88", "89"]
    assert "Working on 3 of 3 days" in page.words


@pytest.mark.parametrize(
    ("zone", "changed"),
    [
        ("America/New_York", date(2026, 3, 8)),  # one hour is missing
        ("America/New_York", date(2026, 11, 1)),  # one hour comes twice
        ("Europe/Madrid", date(2026, 3, 29)),
        ("Europe/Madrid", date(2026, 10, 25)),
        ("America/Santiago", date(2026, 9, 6)),  # the missing hour is the first of the day
    ],
)
def test_day_on_which_clocks_change_is_one_day(env: Environment, zone: str, changed: date) -> None:
    here = ZoneInfo(zone)
    with time_machine.travel(datetime.combine(changed + timedelta(days=2), time(12), tzinfo=here), tick=False):
        link = history(env, (200, Cause.WORKING, WORKS))
        env.client().cookies["tz"] = zone
        for at, cause, state in ((time(1, 30), Cause.BANK_DOWN, WAITS), (time(23, 30), Cause.WORKING, WORKS)):
            moment = datetime.combine(changed, at, tzinfo=here).astimezone(UTC)
            HealthChange.objects.create(link=link, at=moment, source="list", new=state.value, cause=cause.value)

        page = env.open(link.get_absolute_url())

    assert [bar["x"] for bar in bars(page)] == [str(number) for number in range(90)]
    assert [bar["x"] for bar in bars(page) if bar["class"] != "tone-ok"] == ["87"]
    assert "Working on 89 of 90 days; Bank or provider issue on 1" in page.words


def test_days_are_those_of_the_readers_time_zone(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.client().cookies["tz"] = "Pacific/Kiritimati"
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    link.changes.update(at=midnight - timedelta(hours=12))

    page = env.open(link.get_absolute_url())

    today = timezone.localdate(timezone=timezone.get_fixed_timezone(14 * 60))
    known_for = (today - (midnight + timedelta(hours=2)).date()).days + 1
    assert f"Working on {known_for} of {known_for} day" in page.words
