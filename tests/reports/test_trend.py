"""Links that weren't working over the last 90 days, as a chart and as a table, and links that wait too long."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .pasts import link_with_a_past

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]


def waiting_since(env: Environment, item_id: str, *, hours: int) -> Link:
    link = env.heron_link(item_id=item_id, cause=Cause.BANK_DOWN)
    Link.objects.filter(pk=link.pk).update(health_since=timezone.now() - timedelta(hours=hours))
    return link


def test_chart_stacks_the_groups_on_one_scale(env: Environment) -> None:
    link_with_a_past(env, (60, Cause.WORKING), (30, Cause.LOGIN_REFUSED))
    link_with_a_past(env, (20, Cause.BANK_DOWN))

    page = env.open("/")

    customer, bank, us = [each.attrs["points"].split()[:90] for each in page.elements if each.tag == "polygon"]
    assert [points[day] for points in (customer, bank, us) for day in (0, 58, 59)] == [
        *("0,100", "58,100", "59,50"),
        *("0,100", "58,100", "59,50"),
        *("0,100", "58,100", "59,50"),
    ]
    assert customer[-1], bank[-1] == ("89,50", "89,0")


def test_chart_leads_to_the_links_of_a_group(env: Environment) -> None:
    env.belvo_link()

    assert env.open("/").links().count("/links/?state=us") == 2  # its area and its legend


def test_scale_is_round(env: Environment) -> None:
    for number in range(9):
        env.heron_link(item_id=f"item-{number}", cause=Cause.LOGIN_REQUIRED)

    assert "Us 0 10 5 0 " in env.open("/").words


def test_axis_has_dates_at_equal_distances(env: Environment) -> None:
    env.belvo_link()

    days = [f"{timezone.now() - timedelta(days=back):%b %-d}" for back in (89, 74, 59, 45, 30, 15, 0)]
    assert " ".join(days) in env.open("/").words


def test_table_shows_the_same_per_day(env: Environment) -> None:
    link_with_a_past(env, (60, Cause.WORKING), (30, Cause.LOGIN_REFUSED), (10, Cause.WORKING))
    link_with_a_past(env, (20, Cause.BANK_DOWN))

    words = env.open("/").words

    today = timezone.now()
    lines = [
        f"{today - timedelta(days=days):%b %-d, %Y} {needed} {waiting} 0 {needed + waiting}"
        for days, needed, waiting in [(0, 0, 1), (9, 0, 1), (11, 1, 1), (20, 1, 1), (21, 1, 0), (31, 0, 0), (89, 0, 0)]
    ]
    assert [line for line in lines if line not in words] == []


def test_links_waiting_over_two_days_are_counted_and_listed(env: Environment) -> None:
    long = waiting_since(env, "item-1", hours=49)
    waiting_since(env, "item-2", hours=47)
    waiting_since(env, "item-3", hours=400)

    page = env.open("/")

    assert "2 links waiting on a bank or provider for over 2 days" in page.words
    assert "/links/?state=escalate" in page.links()
    found = env.open("/links/?state=escalate")
    assert long.get_absolute_url() in found.links()
    assert found.words.count("Bank or provider issue") == 2 + 1  # and once among the filter's choices


def test_administrator_sees_the_count_without_a_link(env: Environment) -> None:
    waiting_since(env, "item-1", hours=49)

    page = env.open("/", "adm")

    assert "1 link waiting on a bank or provider for over 2 days" in page.words
    assert "/links/?state=escalate" not in page.links()


def test_short_waits_are_not_shown(env: Environment) -> None:
    waiting_since(env, "item-1", hours=47)

    assert "for over 2 days" not in env.open("/").words


def test_long_wait_says_whom_to_contact(env: Environment) -> None:
    words = "This has lasted over 2 days. Contact provider support with the request ID."

    assert words in env.open(waiting_since(env, "item-1", hours=49).get_absolute_url()).words
    assert words not in env.open(waiting_since(env, "item-2", hours=47).get_absolute_url()).words
