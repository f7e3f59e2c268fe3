"""The first page: figures for everyone, names for those who may see them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.compiled_query import CompiledQuery
from linkadmin.links import account_managers, counts, staff_work
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.operations.models import Operation, State
from linkadmin.providers.types import INSTITUTION_DOWN, Cause
from linkadmin.reports import repairs
from tests.environment import Environment
from tests.markup import Page

from .pasts import link_with_a_past

pytestmark = [pytest.mark.django_db, pytest.mark.database]

EREBOR = "erebor_mx_retail"


def waiting_at(env: Environment, bank: str, names: Iterable[str]) -> list[Link]:
    return [env.belvo_link(name, bank=bank, cause=Cause.BANK_DOWN) for name in names]


def troubled(page: Page) -> str:
    return page.words.partition("Customers in trouble")[2].partition("Repairs, last 7 days")[0]


def test_links_are_counted_by_group(env: Environment) -> None:
    for number, cause in enumerate([Cause.LOGIN_REQUIRED, Cause.CODE_NEEDED, Cause.BANK_DOWN, Cause.WORKING]):
        env.heron_link(item_id=f"item-{number}", cause=cause)

    page = env.open("/")

    assert "2 of 4 active links are waiting on a customer" in page.words
    assert "Customer 2 Bank/provider 1 Us 0" in page.words
    assert {"/links/?state=customer", "/links/?state=active", "/links/?state=wait"} <= set(page.links())


@pytest.mark.usefixtures("still")
def test_headline_compares_with_last_monday(env: Environment) -> None:
    link_with_a_past(env, (20, Cause.WORKING), (0, Cause.LOGIN_REFUSED))
    link_with_a_past(env, (30, Cause.LOGIN_REFUSED))
    assert "2 of 2 active links are waiting on a customer, 1 more than last Monday" in env.open("/").words

    link_with_a_past(env, (21, Cause.LOGIN_REFUSED), (0, Cause.WORKING))
    assert "2 of 3 active links are waiting on a customer, as many as last Monday" in env.open("/").words

    link_with_a_past(env, (22, Cause.LOGIN_REFUSED), (0, Cause.WORKING))
    assert "2 of 4 active links are waiting on a customer, 1 fewer than last Monday" in env.open("/").words


def test_new_environment_has_nothing_to_compare_with(env: Environment) -> None:
    env.belvo_link()

    assert "last Monday" not in env.open("/").words


@pytest.mark.usefixtures("still")
def test_headline_is_about_the_group_that_grew_much_more(env: Environment) -> None:
    link_with_a_past(env, (20, Cause.LOGIN_REFUSED))
    waiting_at(env, EREBOR, ["Acme", "Blue"])
    Link.objects.filter(institution__name=EREBOR).update(health_since=timezone.now() - timedelta(days=1))

    page = env.open("/")

    since = f"{timezone.now() - timedelta(days=1):%b %-d}"
    assert "2 of 3 active links are waiting on a bank or provider, 2 more than last Monday" in page.words
    words = f"Erebor Bank accounts for 2 of them: waiting since {since} , nothing to do on our side."
    assert words in page.words
    assert f"/links/?institution={env.bank(EREBOR).pk}&state=wait" in page.links()


@pytest.mark.usefixtures("still")
def test_headline_stays_with_customers_if_another_group_grew_a_little_more(env: Environment) -> None:
    link_with_a_past(env, (20, Cause.WORKING), (0, Cause.LOGIN_REFUSED))
    waiting_at(env, EREBOR, ["Acme", "Blue"])

    assert "1 of 3 active links is waiting on a customer, 1 more than last Monday" in env.open("/").words


def test_headline_says_when_the_provider_reports_an_outage(env: Environment) -> None:
    waiting_at(env, EREBOR, ["Acme", "Blue"])
    Institution.objects.filter(name=EREBOR).update(status=INSTITUTION_DOWN)

    assert "Erebor Bank accounts for 2 of them: outage since " in env.open("/").words


def test_headline_names_the_institution_with_most_of_the_links(env: Environment) -> None:
    for name, bank in (("Acme", EREBOR), ("Blue", EREBOR), ("Cole", "gringotts_mx_retail")):
        env.belvo_link(name, bank=bank, cause=Cause.LOGIN_REFUSED)

    assert "Erebor Bank accounts for 2 of them. Most common status: Sign-in needed." in env.open("/").words


def test_headline_names_no_institution_with_one_link(env: Environment) -> None:
    env.belvo_link()

    assert "accounts for" not in env.open("/").words


def test_several_links_waiting_for_a_bank_are_one_incident(env: Environment) -> None:
    waiting_at(env, EREBOR, ["Acme", "Blue", "Cole"])
    env.belvo_link("Dora", bank=EREBOR, cause=Cause.WORKING)

    page = env.open("/")

    assert "Erebor Bank 3 of 4 links are waiting · Belvo test" in page.words
    assert env.bank(EREBOR).get_absolute_url() in page.links()


def test_incident_says_since_when(env: Environment) -> None:
    waiting_at(env, EREBOR, ["Acme", "Blue"])
    Link.objects.filter(end_user__name="Blue").update(health_since=timezone.now() - timedelta(hours=3, minutes=1))

    assert "Open 3 h Erebor Bank 2 of 2 links are waiting" in env.open("/").words


def test_one_link_that_waits_is_no_incident(env: Environment) -> None:
    env.belvo_link(cause=Cause.BANK_DOWN)

    assert "No bank is failing for several customers at once." in env.open("/").words


def test_bank_that_vanished_since_it_was_counted_is_no_incident(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = env.bank()
    env.belvo_link(cause=Cause.BANK_DOWN)
    monkeypatch.setattr(counts, "most_waiting", lambda *_, **__: {uuid4(): 3, bank.pk: 2})

    page = env.open("/")

    assert f"{bank.display_name} 2 of 0 links are waiting" in page.words
    assert "accounts for" not in page.words


def test_most_urgent_customer_comes_first(env: Environment) -> None:
    env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    oldest = env.belvo_link("Acme Corp")
    Link.objects.filter(pk=oldest.pk).update(health_since=timezone.now() - timedelta(days=9))

    words = troubled(env.open("/"))

    assert words.index("Acme Corp") < words.index("Blue Fern Bakery")


def test_customer_in_trouble_has_one_line(env: Environment) -> None:
    env.belvo_link("Acme Corp", bank="gringotts_mx_retail", cause=Cause.BANK_DOWN)
    env.belvo_link("Acme Corp", bank=EREBOR, cause=Cause.LOGIN_REFUSED)
    env.belvo_link("Acme Corp", cause=Cause.WORKING)
    customer = env.customer("Acme Corp")
    Link.objects.update(end_user=customer)

    page = env.open("/")

    assert troubled(page).count("Acme Corp") == 1
    assert "Acme Corp 2 of 3 links" in page.words
    assert "Sign-in needed" in troubled(page)
    assert customer.get_absolute_url() in page.links()
    assert f"/links/?customer={customer.pk}&state=customer&state=wait&state=us" in page.links()


def test_my_customers_come_first(env: Environment) -> None:
    ana = env.people["ana"]
    for name, bank in (("Acme", EREBOR), ("Blue", "gringotts_mx_retail"), ("Cole", "heimdall_mx_retail")):
        env.belvo_link(name, bank=bank)
    account_managers.set_account_manager(EndUser.objects.get(name="Cole"), ana, by=ana)
    staff_work.assign(Link.objects.get(end_user__name="Blue"), by=ana, assignee=ana)

    mine, theirs = troubled(env.open("/", "ana")), troubled(env.open("/", "ben"))

    assert mine.index("Acme") > max(mine.index("Blue"), mine.index("Cole"))
    assert theirs.index("Acme") < min(theirs.index("Blue"), theirs.index("Cole"))


def test_overview_of_my_customers_shows_only_theirs(env: Environment) -> None:
    ana = env.people["ana"]
    env.belvo_link("Acme Corp")
    link = env.belvo_link("Blue Fern Bakery", bank=EREBOR)
    staff_work.assign(link, by=ana, assignee=ana)

    page = env.open("/?assigned=mine")

    assert "1 of your 1 active links is waiting on a customer" in page.words
    assert "Blue Fern Bakery" in page.words
    assert "Acme Corp" not in page.words
    assert "/links/?assigned=mine&state=customer" in page.links()


def test_nothing_is_mine_yet(env: Environment) -> None:
    env.belvo_link()

    page = env.open("/?assigned=mine")

    assert "No links are yours yet." in page.words
    assert "/" in page.links()


def test_overview_of_nobody_else_is_offered(env: Environment) -> None:
    assert env.open("/?assigned=nobody").status == 400


def test_repair_being_verified_is_no_trouble(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    link.verifying_since = timezone.now()
    Link.objects.filter(pk=link.pk).update(verifying_since=link.verifying_since, urgency=link.rank())

    assert "Acme Corp" not in env.open("/").words


def test_auditor_sees_initials_and_administrator_only_figures(env: Environment) -> None:
    env.belvo_link("Wilhelmina Quackenbush")

    auditor, administrator = env.open("/", "aud"), env.open("/", "adm")

    assert "W••• Q•••" in auditor.words
    assert "1 of 1 active links is waiting on a customer" in administrator.words
    assert not [url for url in administrator.links() if url.startswith(("/links/", "/customers/"))]
    assert "Customers in trouble" not in administrator.words


def test_environment_without_links_says_so(env: Environment) -> None:
    page = env.open("/")

    assert "No links yet" in page.words
    assert "Show as table" not in page.words


@pytest.mark.usefixtures("still")
def test_repairs_of_the_week_are_counted_per_link(env: Environment) -> None:
    now = timezone.now()
    quick = link_with_a_past(env, (20, Cause.LOGIN_REFUSED), (2, Cause.WORKING))
    slow = link_with_a_past(env, (21, Cause.LOGIN_REFUSED), (1, Cause.WORKING))
    broken = link_with_a_past(env, (22, Cause.LOGIN_REFUSED))
    old = link_with_a_past(env, (30, Cause.LOGIN_REFUSED), (10, Cause.WORKING))
    days = timedelta(days=1)
    attempt(env, quick, now - 2 * days - timedelta(minutes=4), State.SUCCEEDED)
    attempt(env, slow, now - days - timedelta(minutes=8), State.REJECTED)
    attempt(env, slow, now - days - timedelta(minutes=1), State.SUCCEEDED)
    attempt(env, broken, now - days, State.EXPIRED)
    attempt(env, old, now - 10 * days - timedelta(minutes=1), State.SUCCEEDED)

    words = env.open("/").words

    assert "repaired, 67% of 3 links 2 median time to verified 6 min code expired 1" in words


def test_week_without_repairs_says_so(env: Environment) -> None:
    assert "No repairs in the last 7 days." in env.open("/").words


def attempt(env: Environment, link: Link, at: object, state: State) -> None:
    Operation.objects.create(
        kind="update_credentials",
        state=state,
        integration=link.integration,
        link=link,
        end_user=link.end_user,
        actor=env.people["ana"],
        operation_key=uuid4(),
        created_at=at,
    )


def test_consents_that_end_soon_are_counted_by_when(env: Environment) -> None:
    today = timezone.localdate()
    for name, bank, days in [
        ("Acme", EREBOR, 0),
        ("Acme", "gringotts_mx_retail", 7),
        ("Blue", EREBOR, 14),
        ("Cole", EREBOR, 15),
        ("Dora", EREBOR, -1),
    ]:
        link = env.belvo_link(name, bank=bank, cause=Cause.WORKING)
        Link.objects.filter(pk=link.pk).update(renew_by=today + timedelta(days=days))
    acme, *others = EndUser.objects.filter(name="Acme")
    Link.objects.filter(end_user__in=others).update(end_user=acme)

    page = env.open("/")

    assert "Within 7 days 2 links · 1 customer Within 14 days 3 links · 2 customers" in page.words
    assert {"/links/?consent=7", "/links/?consent=14"} <= set(page.links())


def test_consents_of_my_customers_are_counted_apart(env: Environment) -> None:
    ana, until = env.people["ana"], timezone.localdate() + timedelta(days=3)
    links = [env.belvo_link(name, bank=EREBOR, cause=Cause.WORKING) for name in ("Acme", "Blue")]
    Link.objects.update(renew_by=until)
    staff_work.assign(links[0], by=ana, assignee=ana)

    page = env.open("/?assigned=mine")

    assert "Within 7 days 1 link · 1 customer" in page.words
    assert "/links/?assigned=mine&consent=7" in page.links()


def test_queries_do_not_grow_with_the_links(
    env: Environment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    env.belvo_link()
    env.belvo_link("Blue", bank=EREBOR)
    env.open("/")
    with django_assert_num_queries(22):
        env.client().get("/")
    for number in range(8):
        env.heron_link(item_id=f"item-{number}", cause=Cause.LOGIN_REQUIRED)
    env.open("/")  # new names are counted once

    with django_assert_num_queries(22):
        env.client().get("/")


@pytest.mark.usefixtures("still")
def test_only_the_latest_repairs_are_read(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    latest = CompiledQuery(lambda *keys: repairs._repairs(*keys)[:2], types=(str, datetime))
    monkeypatch.setattr(repairs, "_REPAIRS", latest)
    monkeypatch.setattr(repairs, "MOST_READ", 2)
    for days in (20, 21, 22):
        attempt(env, link_with_a_past(env, (days, Cause.LOGIN_REFUSED)), timezone.now(), State.REJECTED)

    assert "repaired, 0% of the latest 2 links" in env.open("/").words
