"""The last 90 days of a link: the worst state of each, as cells and in words."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from linkadmin.links.causes import STATES
from linkadmin.links.health_calendar import DAYS, changes_by_day, worst_by_day
from linkadmin.links.models import HealthChange, Link
from linkadmin.providers.types import Cause, HealthState
from linkadmin.timestamps import day_words
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


class Drawn(Protocol):
    def __call__(self, *changes: tuple[int, HealthState], before: HealthState | None = None) -> list[str]: ...


@pytest.fixture
def worst(env: Environment) -> Drawn:
    """Each of four days' worst state, empty where nothing was known."""
    link = env.belvo_link(cause=Cause.WORKING)
    link.changes.all().delete()

    def worst_of(*changes: tuple[int, HealthState], before: HealthState | None = None) -> list[str]:
        known_before = [(-100, before)] if before else []
        for number, state in (*known_before, *changes):
            change(link, datetime.combine(FIRST + timedelta(days=number), time(12), tzinfo=UTC), state)
        found = worst_of_each(link, today=FIRST + timedelta(days=3))
        return [found[day].value if (day := FIRST + timedelta(days=n)) in found else "" for n in range(4)]

    return worst_of


def worst_of_each(link: Link, *, today: date) -> dict[date, HealthState]:
    first = today - timedelta(days=DAYS - 1)
    numbered = worst_by_day(changes_by_day(link, today=today))
    return {first + timedelta(days=number): state for number, state in numbered.items()}


def change(link: Link, at: datetime, state: HealthState) -> None:
    HealthChange.objects.create(link=link, at=at, source="list", new=state.value, cause=Cause.WORKING.value)


def test_state_lasts_until_the_next(worst: Drawn) -> None:
    assert worst((2, WAITS), before=WORKS) == ["healthy", "healthy", "waiting", "waiting"]


def test_day_is_as_bad_as_its_worst_hour(worst: Drawn) -> None:
    assert worst((1, CODE), (1, WAITS), (1, WORKS), before=WORKS) == ["healthy", "customer_code", "healthy", "healthy"]


def test_problem_from_the_day_before_counts_on_the_day_it_ends(worst: Drawn) -> None:
    assert worst((0, WAITS), (1, WORKS), before=WORKS)[:3] == ["waiting", "waiting", "healthy"]


def test_days_before_the_link_was_known_are_empty(worst: Drawn) -> None:
    assert worst((2, WORKS)) == ["", "", "healthy", "healthy"]


def test_link_that_ends_worked_on_its_last_day(worst: Drawn) -> None:
    assert worst((1, ENDED), before=WORKS) == ["healthy", "healthy", "disconnected", "disconnected"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/Santiago", "Pacific/Kiritimati"])
def test_thousands_of_changes_in_any_order_are_summed_up_exactly(env: Environment, zone: str) -> None:
    link, here, chance = env.belvo_link(cause=Cause.WORKING), ZoneInfo(zone), Random(zone)
    link.changes.all().delete()
    starts = [datetime.combine(FIRST + timedelta(days=number), time.min, here) for number in range(-120, 4)]
    moments = [*starts, *(chance.choice(starts) + timedelta(minutes=chance.randrange(1440)) for _ in range(300))]
    changes = [
        HealthChange(link=link, at=at, source="list", new=chance.choice([*HealthState]).value, cause="working")
        for at in chance.choices(moments, k=3 * len(moments))
    ]
    HealthChange.objects.bulk_create(changes)

    with timezone.override(here):
        found = worst_of_each(link, today=FIRST)

    expected, stands = {}, HealthState(HealthChange.objects.order_by("at", "id")[0].new)
    for each in HealthChange.objects.order_by("at", "id"):
        day, new = min(each.at.astimezone(here).date(), FIRST), HealthState(each.new)
        first_of_day = expected.setdefault(day, stands)
        expected[day] = min(first_of_day, new, key=lambda state: STATES[state].rank)
        stands = new
    assert found == {day: expected[day] for day in sorted(expected)[-90:]}


def test_page_reads_one_row_per_day_of_a_link_that_changes_all_the_time(env: Environment) -> None:
    link = history(env, *[(number / 48, Cause.WORKING, (WORKS, WAITS)[number % 2]) for number in range(480)])

    rows = changes_by_day(link, today=timezone.localdate())

    assert len(rows) <= 11


def history(env: Environment, *changes: tuple[float, Cause, HealthState]) -> Link:
    """A link whose states began this many days ago."""
    link = env.belvo_link(cause=Cause.WORKING)
    link.changes.all().delete()
    for ago, cause, state in changes:
        at = timezone.now() - timedelta(days=ago)
        HealthChange.objects.create(link=link, at=at, source="list", new=state.value, cause=cause.value)
    return link


def days(page: Page) -> dict[date, str]:
    """The days that are links to the history, and their tones."""
    links = [each.attrs for each in page.elements if each.tag == "a" and "?day=" in each.attrs.get("href", "")]
    return {date.fromisoformat(attrs["href"].partition("?day=")[2]): attrs["class"] for attrs in links}


def last(count: int, *, until: date | None = None) -> list[date]:
    today = until or timezone.localdate()
    return [today - timedelta(days=back) for back in reversed(range(count))]


def test_link_page_draws_a_cell_for_each_day_and_says_it_in_words(env: Environment) -> None:
    link = history(
        env,
        (200, Cause.WORKING, WORKS),
        (20, Cause.CODE_NEEDED, CODE),
        (16, Cause.BANK_DOWN, WAITS),
        (14, Cause.WORKING, WORKS),
    )

    page = env.open(link.get_absolute_url())

    tones = Counter(days(page).values())
    assert tones == {"tone-ok": 83, "tone-warn": 5, "tone-info": 2}
    words = "Working on 83 of 90 days; One-time code needed on 5; Bank or provider issue on 2"
    assert words in page.words
    assert "92% working" in page.words


def test_days_of_a_young_link_before_it_was_known_are_empty(env: Environment) -> None:
    link = history(env, (2, Cause.WORKING, WORKS))

    page = env.open(link.get_absolute_url())

    assert list(days(page)) == last(3)
    cells = [each for each in page.elements if each.tag == "li" and "nothing recorded" in each.attrs.get("title", "")]
    assert len(cells) == 87
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

    assert list(days(page)) == last(90, until=changed + timedelta(days=2))
    assert [day for day, tone in days(page).items() if tone != "tone-ok"] == [changed]
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


def test_one_day_is_a_tab_stop_and_each_is_named(env: Environment) -> None:
    page = env.open(history(env, (2, Cause.WORKING, WORKS)).get_absolute_url())

    cells = [each.attrs for each in page.elements if each.tag == "a" and "?day=" in each.attrs.get("href", "")]

    assert [attrs["tabindex"] for attrs in cells] == ["-1", "-1", "0"]
    assert cells[-1]["aria-label"] == f"{day_words(timezone.localdate())}: Working"


def test_day_opens_the_history_there(env: Environment) -> None:
    link = history(env, (9, Cause.WORKING, WORKS), (5, Cause.BANK_DOWN, WAITS), (3, Cause.WORKING, WORKS))
    day = timezone.localdate() - timedelta(days=4)
    newest_first, oldest_first = (
        [
            each.attrs["id"]
            for each in env.open(url).elements
            if each.attrs.get("class", "").startswith("timeline__item")
        ]
        for url in (
            f"{link.get_absolute_url()}history/?day={day}",
            f"{link.get_absolute_url()}history/?day={day}&order=oldest",
        )
    )

    first, second, third = [f"change-{pk}" for pk in link.changes.order_by("at").values_list("pk", flat=True)]
    assert newest_first == [second, first]
    assert oldest_first == [third]


@pytest.mark.parametrize("day", ["", "soon", "0001-01-01", "9999-12-31"])
def test_impossible_day_is_no_error(env: Environment, day: str) -> None:
    link = history(env, (2, Cause.WORKING, WORKS))

    assert env.open(f"{link.get_absolute_url()}history/?day={day}").status == 200
