"""Customers: listed by name, found by part of a name or ID, each with all their links."""

import pytest
from pytest_django import DjangoAssertNumQueries

from linkadmin.links.models import EndUser, Link
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def names(page: Page) -> list[str]:
    return [each.attrs["href"] for each in page.elements if each.attrs.get("class") == "table__main"]


def search(env: Environment, words: str, name: str = "ana", **headers: str) -> Page:
    return read(env.client(name).post("/customers/", {"q": words}, headers=headers))


def test_customers_are_listed_by_name_with_links_that_need_somebody(env: Environment) -> None:
    env.belvo_link("Zebra Ltd", cause=Cause.WORKING)
    acme = env.belvo_link("Acme Corp", bank="gringotts_mx_retail").end_user
    Link.objects.create(integration=env.heron, end_user=acme, remote_id="item-1", health="healthy")

    page = env.open("/customers/")

    assert page.words.index("Acme Corp") < page.words.index("Zebra Ltd")
    assert f"{acme.external_id} — 2 1" in page.words


@pytest.mark.parametrize("words", ["acme", "CORP acme", "client-77"])
def test_customer_is_found_by_name_or_id(env: Environment, words: str) -> None:
    acme = EndUser.objects.create(external_id="client-77", name="Acme Corp")
    env.customer("Blue Fern Bakery")

    assert names(search(env, words)) == [acme.get_absolute_url()]


def test_nobody_found_offers_to_show_all(env: Environment) -> None:
    env.customer()

    page = search(env, "nobody")

    assert "No matching customers" in page.words
    assert "/customers/" in page.links()


def test_empty_list_says_how_customers_are_added(env: Environment) -> None:
    assert "We add a customer when you create their first link." in env.open("/customers/").words


def test_pages_show_every_customer_once_although_names_repeat(env: Environment) -> None:
    EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name="Same Name") for n in range(PAGE_SIZE + 5))

    first = env.open("/customers/")
    (turn,) = [href for href in first.links() if "after=" in href]
    second = env.open(f"/customers/{turn}")

    assert len(set(names(first) + names(second))) == PAGE_SIZE + 5


def test_auditor_sees_customers_by_id_since_order_would_reveal_names(env: Environment) -> None:
    zebra = EndUser.objects.create(external_id="cus-1", name="Zebra Ltd")
    acme = EndUser.objects.create(external_id="cus-2", name="Acme Corp")

    assert names(env.open("/customers/", "ana")) == [acme.get_absolute_url(), zebra.get_absolute_url()]
    assert names(env.open("/customers/", "aud")) == [zebra.get_absolute_url(), acme.get_absolute_url()]


def test_auditors_pages_show_every_customer_once(env: Environment) -> None:
    EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name=f"Name {n % 7}") for n in range(PAGE_SIZE + 5))

    first = env.open("/customers/", "aud")
    (turn,) = [href for href in first.links() if "after=" in href]
    second = env.open(f"/customers/{turn}", "aud")

    assert len(set(names(first) + names(second))) == PAGE_SIZE + 5


@pytest.mark.parametrize(("words", "found"), [("acme", False), ("Acme Corp", False), ("us-77", False), ("cus-7", True)])
def test_auditor_finds_a_customer_only_by_the_start_of_an_id(env: Environment, words: str, found: bool) -> None:
    acme = EndUser.objects.create(external_id="cus-77", name="Acme Corp")

    assert names(search(env, words, "aud")) == ([acme.get_absolute_url()] if found else [])


def test_next_page_of_a_search_is_of_the_same_search(env: Environment) -> None:
    EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name="Same Name") for n in range(PAGE_SIZE + 5))
    env.customer("Zebra Ltd")

    first = search(env, "same")
    (turn,) = [each.attrs["formaction"] for each in first.elements if "after=" in each.attrs.get("formaction", "")]
    second = read(env.client().post(f"/customers/{turn}", {"q": "same"}))

    assert len(names(second)) == 5


@pytest.mark.parametrize("text", ["x", "x" * 36, "6f1a4b5e-7c1d-4f7e-9a39-0f8f3c1d2b3a"])
def test_bad_cursor_leads_to_the_first_page(env: Environment, text: str) -> None:
    acme = env.customer()

    assert names(env.open(f"/customers/?after={text}")) == [acme.get_absolute_url()]


def test_customers_page_shows_all_their_links_and_offers_another(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    customer = link.end_user

    page = env.open(customer.get_absolute_url())

    assert link.get_absolute_url() in page.links()
    assert "Blue Fern Bakery" not in page.words
    assert f"/links/new/?end_user={customer.pk}" in page.links()


def test_customers_links_fill_several_pages(env: Environment) -> None:
    customer = env.customer()
    Link.objects.bulk_create(
        Link(integration=env.heron, end_user=customer, remote_id=f"item-{n}") for n in range(PAGE_SIZE + 5)
    )

    first = env.open(customer.get_absolute_url())
    (turn,) = {href for href in first.links() if "after=" in href}
    second = env.open(f"{customer.get_absolute_url()}{turn}")

    assert len(set(names(first) + names(second))) == PAGE_SIZE + 5


def test_customer_without_links_says_so(env: Environment) -> None:
    page = env.open(env.customer().get_absolute_url())

    assert "This customer has no links." in page.words


def test_new_link_of_a_customer_knows_whose_it_is(env: Environment) -> None:
    customer = env.customer()

    page = env.open(f"{env.new_link_url()}&end_user={customer.pk}")

    assert page.inputs()["end_user_id"]["value"] == customer.external_id


def test_htmx_search_returns_only_the_list(env: Environment) -> None:
    acme = env.customer("Acme Corp")

    page = search(env, "acme", **HTMX)

    assert not page.is_whole
    assert names(page) == [acme.get_absolute_url()]


def test_links_are_counted_only_for_the_page(
    env: Environment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    env.belvo_link()
    env.open("/customers/")

    with django_assert_num_queries(8) as done:
        env.client().get("/customers/")

    (counting,) = [query["sql"] for query in done.captured_queries if "COUNT" in query["sql"]]
    assert '"end_user_id" IN' in counting


def test_queries_do_not_grow_with_the_rows(env: Environment, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name=f"Name {n}") for n in range(PAGE_SIZE))
    env.open("/customers/")

    for shown in (PAGE_SIZE, 10):
        EndUser.objects.exclude(pk__in=EndUser.objects.values("pk")[:shown]).delete()
        with django_assert_num_queries(8):
            page = env.client().get("/customers/")
        assert len(names(read(page))) == shown
