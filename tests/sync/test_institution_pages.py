"""The catalogue of institutions: found, filtered, explained, read anew, looked up at the provider."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.links.models import Institution, Integration
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause
from linkadmin.simulator.conduct import Conduct
from tests.house import HTMX, House
from tests.markup import Page, read
from tests.slowness import SlowProvider

pytestmark = pytest.mark.django_db(transaction=True)

EREBOR = "erebor_mx_retail"


def names(page: Page) -> list[str]:
    """Return the institutions of the table, in its order."""
    keys = page.source.split('<span class="table__sub mono"><bdi>')[1:]
    return [key.split("<")[0] for key in keys]


def test_known_trouble_is_on_top_with_our_links(house: House) -> None:
    Institution.objects.filter(name=EREBOR).update(status="down")
    house.belvo_link(bank=EREBOR, cause=Cause.BANK_DOWN)
    for name in ("Acme", "Blue"):
        house.belvo_link(name, bank="gringotts_mx_retail", cause=Cause.BANK_TROUBLE)

    words = house.open("/institutions/").words

    assert "Erebor Bank The provider says it is down · Belvo test 1 link, 1 waiting" in words
    assert "Gringotts Bank The provider says nothing, and several links wait · Belvo test 2 links, 2 waiting" in words


def test_row_counts_our_live_links_by_trouble(house: House) -> None:
    house.belvo_link("Acme", bank=EREBOR, cause=Cause.LOGIN_REFUSED)
    house.belvo_link("Blue", bank=EREBOR, cause=Cause.BANK_DOWN)
    ended = house.belvo_link("Gone", bank=EREBOR)
    ended.ended_at = timezone.now()
    ended.save()

    assert f"Erebor Bank {EREBOR} MX Bank Working 2 1 1" in house.open("/institutions/?country=MX").words


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("country=BR", "erebor_br_retail", EREBOR),
        ("kind=fiscal", "tatooine_mx_fiscal", EREBOR),
        ("status=down", "mareazul_mx_retail", EREBOR),
        ("access=openfinance", "ofmockbank_br_retail", EREBOR),
        ("code=yes", "heimdall_mx_retail", EREBOR),
        ("code=no", EREBOR, "heimdall_mx_retail"),
        ("q=erebor+retail", EREBOR, "gringotts_mx_retail"),
        ("q=Ipê", "ipeamarelo_br_retail", EREBOR),
    ],
)
def test_filter_narrows_the_list_and_can_be_taken_away(house: House, query: str, found: str, missing: str) -> None:
    page = house.open(f"/institutions/?{query}")

    assert found in names(page)
    assert missing not in names(page)
    assert [each for each in page.elements if "pill" in each.attrs.get("class", "").split()]


def test_filter_with_a_value_it_does_not_offer_is_refused(house: House) -> None:
    assert house.open("/institutions/?country=XX").status == 400


def test_nothing_found_offers_the_way_back(house: House) -> None:
    page = house.open("/institutions/?q=nowhere")

    assert "No institution has all of these at once." in page.words
    assert "/institutions/" in page.links()


def test_pages_follow_each_other_without_gap_or_double(house: House) -> None:
    Institution.objects.bulk_create(
        Institution(integration=house.belvo, name=f"made_{n}", display_name="Same name") for n in range(2 * PAGE_SIZE)
    )

    url, seen = "/institutions/?q=made", []
    while url:
        page = house.open(url)
        seen += names(page)
        following = [each.attrs["href"] for each in page.elements if each.attrs.get("rel") == "next"]
        url = f"/institutions/{following[0]}" if following else ""

    assert len(seen) == len(set(seen)) == 2 * PAGE_SIZE


def test_queries_do_not_grow_with_the_rows(house: House, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    house.open("/institutions/?country=BR")
    with django_assert_num_queries(17) as few:
        house.client().get("/institutions/?country=BR")

    with django_assert_num_queries(len(few.captured_queries)):
        house.client().get("/institutions/?country=MX")


def test_part_of_the_list_comes_alone(house: House) -> None:
    page = read(house.client().get("/institutions/?q=erebor", headers=HTMX))

    assert not page.is_whole
    assert page.source.strip().startswith('<div class="stack" id="results"')


def test_page_says_what_it_asks_for_and_how_a_link_is_repaired(house: House) -> None:
    words = house.open(house.bank("ironbank_br_retail").get_absolute_url()).words

    assert "Opções de acesso username_type One of a list Identification (invalid), Passport (valid) yes" in words
    assert "Requer entre 1 e 16 caracteres · 12345678901 ^[a-zA-Z0-9_]{1,16}$" in words
    assert "Support updates the credentials on the link's page: Opções de acesso, Senha, Senha 2." in words


def test_page_says_that_a_code_may_be_asked_for(house: House) -> None:
    words = house.open(house.bank("heimdall_mx_retail").get_absolute_url()).words

    assert "May ask for a code" in words
    assert "The bank may ask for a one-time code meanwhile" in words


def test_open_finance_is_not_repaired_with_a_password(house: House) -> None:
    words = house.open(house.bank("ofmockbank_br_retail").get_absolute_url()).words

    assert "Support updates the credentials" not in words
    assert "renews the consent in the provider's portal" in words


def test_addresses_of_others_are_texts_and_nothing_to_fetch(house: House) -> None:
    bank = house.bank(EREBOR)
    Institution.objects.filter(pk=bank.pk).update(logo_url="https://x.example/l.png", website="https://x.example/")

    page = house.open(bank.get_absolute_url())

    assert "https://x.example/l.png not fetched" in page.words
    assert not [each for each in page.elements if "x.example" in each.attrs.get("href", "") + each.attrs.get("src", "")]


def test_states_of_our_links_there_lead_to_them(house: House) -> None:
    link = house.belvo_link(bank=EREBOR, cause=Cause.LOGIN_REFUSED)
    bank = link.institution
    assert bank

    page = house.open(bank.get_absolute_url())

    assert "Customer must sign in again 1" in page.words
    assert f"/links/?institution={bank.pk}" in page.links()
    assert f"/links/?institution={bank.pk}" not in house.open(bank.get_absolute_url(), "adm").links()


def test_one_is_read_anew(house: House) -> None:
    bank = house.bank(EREBOR)
    house.simulator.world.institutions[EREBOR] = house.simulator.world.institutions[EREBOR] | {"status": "down"}

    answer = house.post(f"{bank.get_absolute_url()}read/")

    bank.refresh_from_db()
    assert (answer.location, bank.status) == (bank.get_absolute_url(), "down")
    assert len(house.calls("GET", f"/api/institutions/{bank.remote_id}/")) == 1


def test_one_that_cannot_be_read_stays_as_it_was(house: House) -> None:
    bank = house.bank(EREBOR)
    house.simulator.fail("GET", "/api/institutions/", "html_200", times=9)

    page = house.post(f"{bank.get_absolute_url()}read/")

    assert "No usable answer came" in page.words
    assert bank.get_absolute_url() in page.links()
    assert house.bank(EREBOR).status == "healthy"


def test_whole_catalogue_is_read_now_and_shows_that_it_takes_a_while(house: House, slow: SlowProvider) -> None:
    house.simulator.behave(Conduct(latency=1))
    url = f"/integrations/{house.belvo.pk}/institutions/read/"

    waiting = house.post(url, name="mia")
    slow.answers()
    house.settled()
    done = house.post(url, {"poll": "1"}, "mia", htmx=True)

    assert "Asking Belvo…" in waiting.words
    assert done.location == f"/institutions/?integration={house.belvo.pk}"
    assert "The whole catalogue was read" in house.open(done.location, "mia").words


def test_one_that_left_the_catalogue_stays_and_says_so(house: House) -> None:
    link = house.belvo_link(bank=EREBOR)
    Integration.objects.filter(pk=house.belvo.pk).update(institutions_read_at=timezone.now() - timedelta(days=1))
    del house.simulator.world.institutions[EREBOR]

    house.post(f"/integrations/{house.belvo.pk}/institutions/read/", name="mia")

    gone = Institution.objects.select_related("integration").get(pk=link.institution_id)
    assert not gone.is_listed
    assert names(house.open("/institutions/?listed=no")) == [EREBOR]
    assert "No longer listed" in house.open(gone.get_absolute_url()).words


def test_one_that_is_not_in_our_catalogue_is_looked_up_and_kept(house: House) -> None:
    Institution.objects.filter(name=EREBOR).delete()
    url = f"/integrations/{house.belvo.pk}/institutions/"

    page = house.post(url, {"display_name": "Erebor", "country_code": "MX"})

    assert names(page) == [EREBOR]
    assert house.bank(EREBOR).get_absolute_url() in page.links()
    assert "Page 1" in page.words


def test_lookup_that_finds_nothing_says_so(house: House) -> None:
    page = house.post(f"/integrations/{house.belvo.pk}/institutions/", {"display_name": "Nowhere"})

    assert "The provider knows no such institution." in page.words


def test_provider_without_a_catalogue_has_no_such_pages(house: House) -> None:
    assert house.open(f"/integrations/{house.heron.pk}/institutions/").status == 404
    assert house.post(f"/integrations/{house.heron.pk}/institutions/read/", name="mia").status == 404


@pytest.mark.parametrize("one", [False, True])
def test_what_was_read_a_moment_ago_is_not_called_read_now(house: House, one: bool) -> None:
    url = (
        f"{house.bank(EREBOR).get_absolute_url()}read/" if one else f"/integrations/{house.belvo.pk}/institutions/read/"
    )
    name = "ana" if one else "mia"
    first = house.open(house.post(url, name=name).location, name).words
    calls = len(house.calls("GET", "/api/institutions/"))

    second = house.open(house.post(url, name=name).location, name).words

    said = "Read just now" if one else "The whole catalogue was read"
    assert said in first
    assert said not in second
    assert re.search(r"Already read \d+ s ago, so nothing was requested now\.", second)
    assert len(house.calls("GET", "/api/institutions/")) == calls
