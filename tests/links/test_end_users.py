"""Customers: listed by trouble or name, found by part of a name or ID, each with all their links."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.links.causes import STATES
from linkadmin.links.listing import known
from linkadmin.links.models import EndUser, Link
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause, HealthState
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SIGN_IN, WORKING, GONE = (
    STATES[state].rank for state in (HealthState.CUSTOMER_LOGIN, HealthState.HEALTHY, HealthState.DISCONNECTED)
)


def names(page: Page) -> list[str]:
    return [each.attrs["href"] for each in page.elements if each.attrs.get("class") == "table__main"]


def search(env: Environment, words: str, name: str = "ana", **headers: str) -> Page:
    return read(env.client(name).post("/customers/", {"q": words}, headers=headers))


def with_links(env: Environment, name: str, *links: tuple[int, int]) -> EndUser:
    """A customer with links of these ranks, in that state for so many hours."""
    customer = env.customer(name)
    Link.objects.bulk_create(
        Link(
            integration=env.heron,
            end_user=customer,
            remote_id=f"{customer.pk}-{number}",
            urgency=rank,
            health_since=timezone.now() - timedelta(hours=hours),
            cause=Cause.WORKING.value if rank == WORKING else Cause.LOGIN_REQUIRED.value,
        )
        for number, (rank, hours) in enumerate(links)
    )
    return customer


def listed(env: Environment, query: str = "", name: str = "ana") -> list[str]:
    """Names or IDs of the customers on a page, in order."""
    page = env.open(f"/customers/?{query}", name)
    return re.findall(r'class="table__main" href="/customers/[^"]+"><bdi>(.*?)</bdi>', page.source)


def test_customers_are_listed_by_their_most_urgent_link(env: Environment) -> None:
    with_links(env, "Works", (WORKING, 9), (WORKING, 5))
    with_links(env, "Gone", (GONE, 9))
    with_links(env, "Newer", (WORKING, 99), (SIGN_IN, 1))
    with_links(env, "Older", (SIGN_IN, 2), (SIGN_IN, 2), (GONE, 99))
    env.customer("Nothing")

    in_order = ["Older", "Newer", "Works", "Gone"]
    assert listed(env) == in_order
    assert listed(env, "sort=-trouble") == in_order[::-1]
    assert listed(env, "sort=name") == ["Gone", "Newer", "Nothing", "Older", "Works"]
    assert listed(env, "sort=-name") == ["Works", "Older", "Nothing", "Newer", "Gone"]


def test_a_customer_shows_the_worst_status_and_how_many_links_do_not_work(env: Environment) -> None:
    acme = env.belvo_link("Acme Corp", cause=Cause.LOGIN_REFUSED).end_user
    working = Link(integration=env.heron, end_user=acme, remote_id="item-1", health="healthy", cause="working")
    working.urgency = working.rank()
    working.save()
    env.customer("Zebra Ltd")

    for url in ("/customers/", "/customers/?sort=name"):
        page = env.open(url)
        assert re.search(r"Sign-in needed The bank rejected the stored credentials \d+ \w+ 1 of 2 links", page.words)
        assert f"/links/?customer={acme.pk}&state=customer&state=wait&state=us" in page.links()
    assert "No links" in page.words


def test_pages_by_trouble_show_every_customer_once_forwards_and_backwards(env: Environment) -> None:
    for number in range(PAGE_SIZE + 7):
        with_links(env, f"Customer {number:02}", (SIGN_IN, number // 10), (SIGN_IN, number // 10), (WORKING, 3))

    first = env.open("/customers/")
    (turn,) = [href for href in first.links() if "after=" in href]
    second = env.open(f"/customers/{turn}")
    (back,) = [href for href in second.links() if "before=" in href and not href.endswith("before=")]

    assert len(set(names(first) + names(second))) == PAGE_SIZE + 7
    assert names(env.open(f"/customers/{back}")) == names(first)


def test_search_is_sorted_by_name_unless_asked_otherwise(env: Environment) -> None:
    with_links(env, "Acme Working", (WORKING, 9))
    trouble = with_links(env, "Acme Zebra", (SIGN_IN, 1))
    env.customer("Acme Nothing")
    with_links(env, "Blue Fern", (SIGN_IN, 1))

    assert len(names(search(env, "acme"))) == 3
    by_trouble = read(env.client().post("/customers/?sort=trouble", {"q": "acme"}))
    assert names(by_trouble)[0] == trouble.get_absolute_url()
    assert len(names(by_trouble)) == 2


def test_heads_and_menus_sort_and_filter(env: Environment) -> None:
    page = env.open("/customers/?manager=mine")

    assert "/customers/?manager=mine&sort=name" in page.links()
    assert "/customers/?manager=mine&sort=-trouble" in page.links()
    assert "/customers/" in page.links()  # without the filter
    assert "/customers/?manager=nobody" in page.links()
    assert env.client().get("/customers/?sort=since").status_code == 400


def test_open_list_learns_of_a_change(env: Environment) -> None:
    customer = with_links(env, "Acme Corp", (WORKING, 9))
    version = env.client().get("/customers/live/").content.decode()
    assert env.client().get("/customers/live/", {"v": version}).status_code == 204

    Link.objects.filter(end_user=customer).update(urgency=SIGN_IN)

    assert env.client().get("/customers/live/", {"v": version}).status_code == 200


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

    first = env.open("/customers/?sort=name")
    (turn,) = [href for href in first.links() if "after=" in href]
    second = env.open(f"/customers/{turn}")

    assert len(set(names(first) + names(second))) == PAGE_SIZE + 5


def test_auditor_sees_customers_by_id_since_order_would_reveal_names(env: Environment) -> None:
    zebra = EndUser.objects.create(external_id="cus-1", name="Zebra Ltd")
    acme = EndUser.objects.create(external_id="cus-2", name="Acme Corp")

    assert names(env.open("/customers/?sort=name", "ana")) == [acme.get_absolute_url(), zebra.get_absolute_url()]
    assert names(env.open("/customers/?sort=name", "aud")) == [zebra.get_absolute_url(), acme.get_absolute_url()]


def test_auditors_pages_show_every_customer_once(env: Environment) -> None:
    EndUser.objects.bulk_create(EndUser(external_id=f"cus-{n}", name=f"Name {n % 7}") for n in range(PAGE_SIZE + 5))

    first = env.open("/customers/?sort=name", "aud")
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
    acme = with_links(env, "Acme Corp", (WORKING, 1))

    for sort in ("trouble", "name"):
        assert names(env.open(f"/customers/?sort={sort}&after={text}")) == [acme.get_absolute_url()]


def test_customers_page_shows_all_their_links_and_offers_another(env: Environment) -> None:
    link = env.belvo_link("Acme Corp")
    env.belvo_link("Blue Fern Bakery", bank="gringotts_mx_retail")
    customer = link.end_user

    page = env.open(customer.get_absolute_url())

    assert link.get_absolute_url() in page.links()
    assert "Blue Fern Bakery" not in page.words
    assert f"/links/new/?end_user={customer.pk}" in page.links()


def test_customers_page_begins_with_the_worst_status_and_names_banks_first(env: Environment) -> None:
    link = env.heron_link("Acme Corp", bank="First Platypus Bank", cause=Cause.LOGIN_REQUIRED)
    Link.objects.create(integration=env.heron, end_user=link.end_user, remote_id="item-2", health="healthy")
    Link.objects.create(integration=env.heron, end_user=link.end_user, remote_id="item-3", health="disconnected")

    page = env.open(link.end_user.get_absolute_url())

    assert re.search(
        r"Sign-in needed Acme Corp 1 of 2 links waiting on the customer · for \d+ \w+ · Sign-in expired", page.words
    )
    assert re.search(r"Institution Status Since Last sync Assignee First Platypus Bank Heron test", page.words)


def test_customer_whose_links_all_work_has_them_counted(env: Environment) -> None:
    customer = env.belvo_link(cause=Cause.WORKING).end_user

    assert "1 active link · for" in env.open(customer.get_absolute_url()).words


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


@pytest.mark.parametrize("sort", ["trouble", "name"])
def test_queries_do_not_grow_with_the_rows(
    env: Environment, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    for number in range(PAGE_SIZE):
        with_links(env, f"Customer {number:02}", (WORKING, 1), (SIGN_IN, 1))
    url = f"/customers/?sort={sort}"
    env.open(url)
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)

    for shown in (PAGE_SIZE, 10):
        few = EndUser.objects.exclude(pk__in=EndUser.objects.values("pk")[:shown])
        Link.objects.filter(end_user__in=few).delete()
        few.delete()
        with django_assert_num_queries(8 if sort == "name" else 7) as done:
            page = env.client().get(url)
        assert len(names(read(page))) == shown
        (counting,) = [query["sql"] for query in done.captured_queries if "COUNT" in query["sql"]]
        assert '"end_user_id" IN' in counting
