"""How many links each person has: exact after every change, and offered in the filter of the list."""

from collections import Counter
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from linkadmin.links import health, staff_counts
from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.count_upkeep import compare, fold, recount
from linkadmin.links.models import EndUser, Link, Recount, StaffCount, StaffMove
from linkadmin.links.staff_work import assign
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def numbers(env: Environment) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """By name: assigned links, and those that are theirs in any way."""
    found = staff_counts.read()["production"]
    people = {name: user.pk for name, user in env.people.items() if user.pk in found.mine}
    return {name: (dict(+found.assigned[pk]), dict(+found.mine[pk])) for name, pk in people.items()}


def give(env: Environment, link: Link, name: str | None) -> None:
    assign(link, by=env.people["ana"], assignee=env.people[name] if name else None)


def test_counts_follow_assignees_account_managers_and_states(env: Environment) -> None:
    link, other = env.belvo_link(cause=Cause.WORKING), env.belvo_link("Beta", cause=Cause.WORKING)
    give(env, link, "ana")
    set_account_manager(link.end_user, env.people["mia"], by=env.people["ana"])
    assert numbers(env) == {"ana": ({"healthy": 1}, {"healthy": 1}), "mia": ({}, {"healthy": 1})}

    fold()
    assert not StaffMove.objects.exists()
    health.observe(link, health.Report(Observation(Cause.BANK_DOWN), health.Source.LIST, timezone.now()))
    give(env, other, "mia")
    assert numbers(env) == {
        "ana": ({"waiting": 1}, {"waiting": 1}),
        "mia": ({"healthy": 1}, {"healthy": 1, "waiting": 1}),
    }

    give(env, link, "mia")
    set_account_manager(link.end_user, None, by=env.people["ana"])
    fold()
    assert numbers(env) == {"ana": ({}, {}), "mia": ({"healthy": 1, "waiting": 1}, {"healthy": 1, "waiting": 1})}
    assert compare().wrong == 0


def test_links_of_nobody_are_the_others(env: Environment) -> None:
    give(env, env.belvo_link(cause=Cause.WORKING), "ana")
    env.belvo_link("Beta", cause=Cause.WORKING)
    env.heron_link()

    assert staff_counts.read()["production"].unassigned == Counter(healthy=2)


def test_new_link_counts_for_its_customers_account_manager(env: Environment) -> None:
    customer = env.customer()
    set_account_manager(customer, env.people["mia"], by=env.people["ana"])
    link = Link(integration=env.belvo, end_user=customer, institution=env.bank(), remote_id="link-9")
    health.start_links([(link, RemoteLink(link.remote_id, Observation(Cause.WORKING)))], at=timezone.now())

    assert numbers(env) == {"mia": ({}, {"healthy": 1})}


def test_account_manager_of_many_links_is_counted_in_few_rows(env: Environment) -> None:
    customer = env.customer()
    links = [Link(integration=env.belvo, end_user=customer, remote_id=f"link-{number}") for number in range(30)]
    listed = [(link, RemoteLink(link.remote_id, Observation(Cause.WORKING))) for link in links]
    health.start_links(listed, at=timezone.now())
    give(env, links[0], "mia")
    fold()

    set_account_manager(EndUser.objects.get(), env.people["mia"], by=env.people["ana"])

    assert StaffMove.objects.count() == 1
    assert numbers(env) == {"mia": ({"healthy": 1}, {"healthy": 30})}


def test_links_of_an_earlier_version_are_counted_by_the_first_fold(env: Environment) -> None:
    give(env, env.belvo_link(cause=Cause.WORKING), "ana")
    fold()
    StaffCount.objects.all().delete()
    Recount.objects.update(of_staff=False)

    fold()

    assert numbers(env) == {"ana": ({"healthy": 1}, {"healthy": 1})}


def test_links_of_an_earlier_version_are_counted_when_it_is_upgraded(env: Environment) -> None:
    link, other = env.belvo_link(cause=Cause.WORKING), env.belvo_link("Beta", cause=Cause.WORKING)
    give(env, link, "ana")
    give(env, other, "mia")
    for each in (link, other):
        set_account_manager(each.end_user, env.people["mia"], by=env.people["ana"])
    health.start_verifying(env.heron_link(), at=timezone.now(), request_id="")
    give(env, Link.objects.get(integration=env.heron), "ana")
    before = numbers(env)
    StaffMove.objects.all().delete()

    with connection.cursor() as cursor:
        cursor.execute(import_module("linkadmin.links.migrations.0011_staff_counts").FILL)

    assert numbers(env) == before
    assert before == {
        "ana": ({"healthy": 1, "verifying": 1}, {"healthy": 1, "verifying": 1}),
        "mia": ({"healthy": 1}, {"healthy": 2}),
    }
    assert compare().wrong == 0


def test_recount_corrects_wrong_counts(env: Environment) -> None:
    give(env, env.belvo_link(cause=Cause.WORKING), "ana")
    fold()
    StaffCount.objects.update(mine=7)
    StaffCount.objects.create(person=env.people["mia"], state="waiting", assigned=1, mine=1)

    assert recount() == 2
    assert numbers(env) == {"ana": ({"healthy": 1}, {"healthy": 1}), "mia": ({}, {})}
    assert recount() == 0


def test_deleted_person_leaves_no_counts(env: Environment) -> None:
    link = env.belvo_link()
    set_account_manager(link.end_user, env.people["mia"], by=env.people["ana"])
    fold()

    env.people["mia"].delete()

    assert not StaffCount.objects.exists()
    assert compare().wrong == 0


def test_filter_says_how_many_links_each_person_has(env: Environment) -> None:
    ana, mia = env.people["ana"], env.people["mia"].display_name
    working, refused = env.belvo_link(cause=Cause.WORKING), env.belvo_link("Beta", cause=Cause.LOGIN_REFUSED)
    give(env, working, "mia")
    set_account_manager(refused.end_user, ana, by=ana)

    page = env.open("/links/", "ana").words
    assert "Mine · 1" in page
    assert "Unassigned · 1" in page
    assert f"{mia} · 1" in page

    page = env.open("/links/?state=healthy", "ana").words
    assert "Mine · 0" in page
    assert f"{mia} · 1" in page

    page = env.open(f"/links/?integration={env.belvo.pk}", "ana").words
    assert "Mine ·" not in page
    assert "Unassigned ·" not in page


def test_numbers_of_the_filter_are_never_those_of_another_reader(env: Environment) -> None:
    give(env, env.belvo_link(), "mia")

    assert "Mine · 0" in env.open("/links/", "ana").words
    assert "Mine · 1" in env.open("/links/", "mia").words
    assert "Mine · 0" in env.open("/links/", "ana").words


def test_typed_text_leaves_no_gap_for_a_number(env: Environment) -> None:
    assert env.open("/links/?bank=a%00b").status in (400, 422)
