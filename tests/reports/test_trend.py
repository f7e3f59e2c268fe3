"""The last 90 days of all links, as curves and as a table, and links that wait too long."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]


def link_with_a_past(env: Environment, *pasts: tuple[int, Cause]) -> Link:
    """A link found this many days ago in the first state, which changed to the others later."""
    (found, cause), *later = pasts
    now = timezone.now()
    link = Link(integration=env.belvo, end_user=env.customer(), institution=env.bank(), remote_id=f"past-{found}")
    health.start_links([(link, RemoteLink(link.remote_id, Observation(cause)))], at=now - timedelta(days=found))
    for ago, cause in later:
        report = health.Report(Observation(cause), health.Source.LIST, now - timedelta(days=ago))
        health.observe(link, report)
    return link


def waiting_since(env: Environment, item_id: str, *, hours: int) -> Link:
    link = env.heron_link(item_id=item_id, cause=Cause.BANK_DOWN)
    Link.objects.filter(pk=link.pk).update(health_since=timezone.now() - timedelta(hours=hours))
    return link


def test_curves_show_links_by_group_then_and_now(env: Environment) -> None:
    link_with_a_past(env, (60, Cause.WORKING), (30, Cause.LOGIN_REFUSED), (10, Cause.WORKING))
    link_with_a_past(env, (20, Cause.BANK_DOWN))

    page = env.open("/")

    since = f"{timezone.now() - timedelta(days=89):%b %-d}"
    assert f"Waiting on customer 0 0 now · peak 1 · 0 on {since}" in page.words
    assert f"Waiting on bank or provider 1 1 now · peak 1 · 0 on {since}" in page.words
    assert f"Waiting on us 0 0 now · peak 0 · 0 on {since}" in page.words
    assert f"No action needed 1 1 now · peak 1 · 0 on {since}" in page.words


def test_curve_has_a_step_for_each_day(env: Environment) -> None:
    link_with_a_past(env, (1, Cause.WORKING))

    *_, working = [each for each in env.open("/").elements if each.tag == "polygon"]

    corners = working.attrs["points"].split()
    assert len(corners) == 2 * 90 + 2
    assert corners[-6:] == ["87,20", "88,20", "88,0", "89,0", "89,0", "90,0", "90,20"][-6:]


def test_table_shows_the_same_per_week(env: Environment) -> None:
    link_with_a_past(env, (60, Cause.WORKING), (30, Cause.LOGIN_REFUSED), (10, Cause.WORKING))

    words = env.open("/").words

    today = timezone.now()
    lines = {
        days: f"{(today - timedelta(days=days)):%b %-d, %Y} {needed} 0 0 {working}"
        for days, needed, working in [(0, 0, 1), (14, 1, 0), (28, 1, 0), (35, 0, 1), (63, 0, 0)]
    }
    assert [line for line in lines.values() if line not in words] == []


def test_environment_without_links_has_no_trend(env: Environment) -> None:
    assert "Show as table" not in env.open("/").words


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
