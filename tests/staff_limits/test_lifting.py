"""Leads see who is near a limit, and lift it for an hour with a reason. Nobody lifts their own."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from linkadmin.audit.models import AuditEvent
from linkadmin.links.models import Link
from tests.environment import Environment

from .conftest import Limits

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PAGE = "/staff/limits/"


def open_links(env: Environment, links: list[Link], name: str = "ana") -> list[int]:
    return [env.client(name).get(link.get_absolute_url()).status_code for link in links]


def lift_url(env: Environment, name: str = "ana", kind: str = "customers_opened") -> str:
    return f"/staff/{env.people[name].pk}/limits/{kind}/"


def test_page_lists_only_those_near_a_limit(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(3, 4))
    open_links(env, links[:2], "ben")
    assert "Nobody is near a limit" in env.open(PAGE, "mia").words

    open_links(env, links[:3])
    assert "Ana Support 3 of 4 customers opened in the last hour Near the limit" in env.open(PAGE, "mia").words
    open_links(env, links[:5])
    page = env.open(PAGE, "mia").words
    assert "Ana Support 4 of 4 customers opened in the last hour Limit reached" in page
    assert "Ben" not in page


def test_open_page_learns_of_it_at_its_next_poll(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 1))
    [live] = [each.attrs for each in env.open(PAGE, "mia").elements if each.attrs.get("id") == "live"]
    poll = f"{live['data-url']}?v={live['data-version']}"
    assert int(live["data-seconds"]) <= 4
    assert env.client("mia").get(poll).status_code == 204

    open_links(env, links[:2])

    assert env.client("mia").get(poll).status_code == 200


def test_lifted_for_an_hour_with_a_reason(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 2))
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        assert open_links(env, links[:3]) == [200, 200, 429]

        saved = env.send(lift_url(env), "mia", reason="Month-end review")
        assert saved.location == PAGE
        assert open_links(env, links[:6]) == [200] * 6
        shown = env.open(PAGE, "mia").words
        person = env.open(f"/staff/{env.people['ana'].pk}/", "adm").words
        clock.shift(timedelta(minutes=61))
        env.client().force_login(env.people["ana"])
        after = open_links(env, links[6:9])

    assert "Lifted until" in shown
    assert "Month-end review" in shown
    assert "Customers opened: lifted by Mia until" in person
    assert "Reason: Month-end review" in person
    assert after == [200, 200, 429]
    [event] = AuditEvent.objects.filter(action="staff.limit_lifted")
    assert (event.actor, event.object_id) == ("mia", str(env.people["ana"].pk))
    assert event.details == {"limit": "customers_opened"}


def test_without_a_reason_nothing_is_lifted(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 1))
    open_links(env, links[:2])

    page = env.send(lift_url(env), "mia", reason=" ")

    assert (page.status, page.error_at("reason")) == (422, "This field is required.")
    assert open_links(env, links[1:2]) == [429]


def test_nobody_lifts_their_own(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 1))
    open_links(env, links[:2], "mia")

    assert "Someone else has to lift yours." in env.open(PAGE, "mia").words
    assert env.open(lift_url(env, "mia"), "mia").status == 403
    assert env.post(lift_url(env, "mia"), {"reason": "for me"}, "mia").status == 403
    assert open_links(env, links[1:2], "mia") == [429]


def test_a_limit_nobody_is_near_needs_no_lift(env: Environment) -> None:
    assert env.open(lift_url(env), "mia").words.count("You don't need to lift this limit") == 1
    assert env.open(lift_url(env, kind="unknown"), "mia").status == 404
    assert not AuditEvent.objects.filter(action="staff.limit_lifted").exists()


@pytest.mark.parametrize(("name", "status"), [("ana", 403), ("aud", 200), ("adm", 200), ("mia", 200)])
def test_who_sees_the_page(env: Environment, links: list[Link], limits: Limits, name: str, status: int) -> None:
    limits(customers_opened=(1, 1))
    open_links(env, links[:2], "ben")

    page = env.open(PAGE, name)

    assert page.status == status
    assert (lift_url(env, "ben") in page.source) is (name == "mia")


def test_limit_reached_by_asking_for_too_much_at_once_can_be_lifted(
    env: Environment, links: list[Link], limits: Limits
) -> None:
    limits(customers_listed=(5, 11))
    assert env.open("/links/").status == 429

    assert "Ana Support 0 of 11 customer names shown in the last hour Limit reached" in env.open(PAGE, "mia").words
    env.send(lift_url(env, kind="customers_listed"), "mia", reason="Audit")
    assert env.open("/links/").status == 200


def test_person_page_says_how_much_of_each_limit_is_used(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(exports=(4, 5))
    open_links(env, links[:3])

    words = env.open(f"/staff/{env.people['ana'].pk}/", "aud").words

    assert "Customers opened 3 of 250 customers opened in the last hour Below the limit" in words
    assert "Exports 0 of 5 exports in the last 24 hours" in words


def test_overview_tells_leads_only_if_somebody_is_over(env: Environment, links: list[Link], limits: Limits) -> None:
    limits(customers_opened=(1, 2))
    open_links(env, links[:1])
    assert "reached a limit" not in env.open("/", "mia").words

    open_links(env, links[:3])

    assert "Ana reached a limit" in env.open("/", "mia").words
    assert "reached a limit" not in env.open("/").words
