"""What a link's page says about other links at the same bank."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from linkadmin.timestamps import day_words
from tests.environment import Environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

DAYS_AGO = timezone.now() - timedelta(days=8)


def links(env: Environment, cause: Cause, count: int, *, bank: str = "heimdall_mx_retail") -> list[Link]:
    return [env.belvo_link(cause=cause, bank=bank) for _each in range(count)]


def broken_at(found: list[Link], at: object = DAYS_AGO) -> None:
    Link.objects.filter(pk__in=[link.pk for link in found]).update(health_since=at)


def headline(env: Environment, link: Link) -> str:
    return env.open(link.get_absolute_url()).words.split("Timeline")[0]


def test_links_that_broke_together_put_the_customer_in_doubt(env: Environment) -> None:
    broken = links(env, Cause.LOGIN_REFUSED, 3)
    links(env, Cause.WORKING, 4)
    links(env, Cause.GONE, 2)
    broken_at(broken)

    said = f"3 of 7 links at this bank broke since {day_words(timezone.localtime(DAYS_AGO).date())}"
    assert f"{said}, so it may not be the customer" in headline(env, broken[0])


def test_few_of_many_say_nothing_about_the_customer(env: Environment) -> None:
    broken = links(env, Cause.LOGIN_REFUSED, 3)
    links(env, Cause.WORKING, 12)
    broken_at(broken)

    assert "3 of 15 links at this bank broke since" in headline(env, broken[0])
    assert "may not be the customer" not in headline(env, broken[0])


def test_outage_of_today_has_a_time(env: Environment) -> None:
    broken = links(env, Cause.BANK_DOWN, 3)

    since = min(timezone.localtime(link.health_since) for link in broken)
    assert f"3 of 3 links at this bank broke since {since:%H:%M}" in headline(env, broken[0])
    assert "may not be the customer" not in headline(env, broken[0])


def test_other_banks_earlier_problems_and_working_links_are_no_evidence(env: Environment) -> None:
    one, other, earlier = links(env, Cause.LOGIN_REFUSED, 3)
    links(env, Cause.LOGIN_REFUSED, 3, bank="gringotts_mx_retail")
    (working,) = links(env, Cause.WORKING, 1)
    broken_at([one, other])
    broken_at([earlier], DAYS_AGO - timedelta(days=1))

    assert "broke since" not in headline(env, one)
    assert "broke since" not in headline(env, working)
