"""Pages of institutions: search, filter, details, refresh, lookup."""

import re
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from linkadmin.integrations.models import Integration
from linkadmin.links import count_upkeep, counts, health, institutions
from linkadmin.links.models import Institution
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause, Observation, RemoteLink
from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import HTMX, Environment
from tests.markup import Page, read
from tests.slowness import SlowProvider

pytestmark = pytest.mark.django_db(transaction=True)

EREBOR = "erebor_mx_retail"


def names(page: Page) -> list[str]:
    """Return the institutions in the table, in order."""
    keys = page.source.split('<span class="table__sub mono"><bdi>')[1:]
    return [key.split("<")[0] for key in keys]


def test_known_trouble_is_on_top_with_our_links(env: Environment) -> None:
    Institution.objects.filter(name=EREBOR).update(status="down")
    env.belvo_link(bank=EREBOR, cause=Cause.BANK_DOWN)
    for name in ("Acme", "Blue"):
        env.belvo_link(name, bank="gringotts_mx_retail", cause=Cause.BANK_TROUBLE)

    words = env.open("/institutions/").words

    assert "Down Erebor Bank 1 of 1 link is waiting · Belvo test · according to the provider" in words
    note = "the provider reports no problem"
    assert f"Waiting Gringotts Bank 2 of 2 links are waiting · Belvo test · {note}" in words


def test_bank_that_vanished_since_it_was_counted_is_no_known_trouble(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, gone = env.bank(), uuid4()
    waiting = {pk: Counter(waiting=2) for pk in (gone, bank.pk)}
    monkeypatch.setattr(counts, "most_waiting", lambda *_, **__: dict.fromkeys(waiting, 2))
    monkeypatch.setattr(counts, "by_institution", lambda wanted: {pk: waiting[pk] for pk in wanted if pk in waiting})

    assert [each for each, _links in institutions.known_problems("production").institutions] == [bank]


def test_row_counts_our_live_links_by_trouble(env: Environment) -> None:
    env.belvo_link("Acme", bank=EREBOR, cause=Cause.LOGIN_REFUSED)
    env.belvo_link("Blue", bank=EREBOR, cause=Cause.BANK_DOWN)
    ended = env.belvo_link("Gone", bank=EREBOR)
    health.observe(ended, health.Report(Observation(Cause.REMOVED), health.Source.CALL, timezone.now()))

    assert f"Erebor Bank {EREBOR} MX Bank Working 2 1 1" in env.open("/institutions/?country=MX").words


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
def test_filter_narrows_the_list_and_can_be_taken_away(env: Environment, query: str, found: str, missing: str) -> None:
    page = env.open(f"/institutions/?{query}")

    assert found in names(page)
    assert missing not in names(page)
    assert [each for each in page.elements if each.attrs.get("class") == "chip__clear"]


def test_filter_with_a_value_it_does_not_offer_is_refused(env: Environment) -> None:
    assert env.open("/institutions/?country=XX").status == 400


def test_heads_sort_both_ways(env: Environment) -> None:
    by_country = re.findall(r">([A-Z]{2})</td>", env.open("/institutions/?sort=country").source)
    reversed_names = names(env.open("/institutions/?sort=-name"))

    assert by_country == sorted(by_country)
    assert len(set(by_country)) > 1
    assert reversed_names == names(env.open("/institutions/"))[::-1]
    assert "/institutions/?q=bank&sort=-name" in env.open("/institutions/?q=bank").links()
    assert env.open("/institutions/?sort=waiting").status == 400


def test_institutions_sort_by_their_active_links(env: Environment) -> None:
    one, two, ended = env.belvo_link("Acme", bank=EREBOR), "gringotts_mx_retail", env.belvo_link("Gone")
    for customer in ("Blue", "Gold"):
        env.belvo_link(customer, bank=two)
    count_upkeep.fold()
    assert names(env.open("/institutions/?sort=links"))[0] == two

    health.observe(ended, health.Report(Observation(Cause.REMOVED), health.Source.CALL, timezone.now()))
    health.observe_remote(
        one,
        RemoteLink(one.remote_id, Observation(Cause.WORKING), institution=two),
        source=health.Source.LIST,
        at=timezone.now(),
    )
    count_upkeep.fold()

    assert names(env.open("/institutions/?sort=links"))[0] == two
    assert names(env.open("/institutions/?sort=-links"))[-1] == two
    assert list(Institution.objects.filter(active_links__gt=0).values_list("name", "active_links")) == [(two, 3)]


def test_an_id_is_shown_if_it_says_something_else(env: Environment) -> None:
    Institution.objects.create(integration=env.belvo, name="Twice Bank", display_name="Twice Bank")

    words = env.open("/institutions/?q=twice").words

    assert words.count("Twice Bank") == 1


def test_nothing_found_offers_the_way_back(env: Environment) -> None:
    page = env.open("/institutions/?q=nowhere")

    assert "No institutions match these filters." in page.words
    assert "/institutions/" in page.links()


def test_pages_follow_each_other_without_gap_or_double(env: Environment) -> None:
    Institution.objects.bulk_create(
        Institution(integration=env.belvo, name=f"made_{n}", display_name="Same name") for n in range(2 * PAGE_SIZE)
    )

    url, seen = "/institutions/?q=made", []
    while url:
        page = env.open(url)
        seen += names(page)
        following = [each.attrs["href"] for each in page.elements if each.attrs.get("rel") == "next"]
        url = f"/institutions/{following[0]}" if following else ""

    assert len(seen) == len(set(seen)) == 2 * PAGE_SIZE


def test_queries_do_not_grow_with_the_rows(env: Environment, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    env.open("/institutions/?country=BR")
    with django_assert_num_queries(20) as few:
        env.client().get("/institutions/?country=BR")

    with django_assert_num_queries(len(few.captured_queries)):
        env.client().get("/institutions/?country=MX")


def test_part_of_the_list_comes_alone(env: Environment) -> None:
    page = read(env.client().get("/institutions/?q=erebor", headers=HTMX))

    assert not page.is_whole
    assert page.source.strip().startswith('<div class="stack" id="results"')


def test_page_says_what_it_asks_for_and_how_a_link_is_repaired(env: Environment) -> None:
    words = env.open(env.bank("ironbank_br_retail").get_absolute_url()).words

    assert "Opções de acesso username_type One from a list Identification (invalid), Passport (valid) yes" in words
    assert "Requer entre 1 e 16 caracteres · 12345678901 ^[a-zA-Z0-9_]{1,16}$" in words
    assert "On the link's page, support updates these credentials: Opções de acesso, Senha, Senha 2." in words


def test_page_says_that_a_code_may_be_asked_for(env: Environment) -> None:
    words = env.open(env.bank("heimdall_mx_retail").get_absolute_url()).words

    assert "May require a code" in words
    assert "The bank may ask for a one-time code; support enters it on the link's page." in words


def test_open_finance_is_not_repaired_with_a_password(env: Environment) -> None:
    words = env.open(env.bank("ofmockbank_br_retail").get_absolute_url()).words

    assert "Support updates the credentials" not in words
    assert "renews the consent in the consent portal" in words


def test_addresses_of_others_are_texts_and_nothing_to_fetch(env: Environment) -> None:
    bank = env.bank(EREBOR)
    Institution.objects.filter(pk=bank.pk).update(logo_url="https://x.example/l.png", website="https://x.example/")

    page = env.open(bank.get_absolute_url())

    assert "https://x.example/l.png not displayed" in page.words
    assert not [each for each in page.elements if "x.example" in each.attrs.get("href", "") + each.attrs.get("src", "")]


def test_states_of_our_links_there_lead_to_them(env: Environment) -> None:
    link = env.belvo_link(bank=EREBOR, cause=Cause.LOGIN_REFUSED)
    bank = link.institution
    assert bank

    page = env.open(bank.get_absolute_url())

    assert "Sign-in needed 1" in page.words
    assert f"/links/?institution={bank.pk}" in page.links()
    assert f"/links/?institution={bank.pk}" not in env.open(bank.get_absolute_url(), "adm").links()


def test_one_institution_can_be_refreshed(env: Environment) -> None:
    bank = env.bank(EREBOR)
    env.simulator.store.institutions[EREBOR] = env.simulator.store.institutions[EREBOR] | {"status": "down"}

    answer = env.post(f"{bank.get_absolute_url()}read/")

    bank.refresh_from_db()
    assert (answer.location, bank.status) == (bank.get_absolute_url(), "down")
    assert len(env.calls("GET", f"/api/institutions/{bank.remote_id}/")) == 1


def test_one_that_cannot_be_read_stays_as_it_was(env: Environment) -> None:
    bank = env.bank(EREBOR)
    env.simulator.fail("GET", "/api/institutions/", "html_200", times=9)

    page = env.post(f"{bank.get_absolute_url()}read/")

    assert "No usable response" in page.words
    assert bank.get_absolute_url() in page.links()
    assert env.bank(EREBOR).status == "healthy"


def test_refreshing_the_whole_list_shows_progress(env: Environment, slow: SlowProvider) -> None:
    env.simulator.configure(SimulatorSettings(latency=1))
    url = f"/integrations/{env.belvo.pk}/institutions/read/"

    waiting = env.post(url, name="mia")
    slow.answers()
    env.settled()
    done = env.post(url, {"poll": "1"}, "mia", htmx=True)

    assert "Contacting Belvo…" in waiting.words
    assert done.location == f"/institutions/?integration={env.belvo.pk}"
    assert "Institution list refreshed" in env.open(done.location, "mia").words


def test_institution_no_longer_listed_stays_and_says_so(env: Environment) -> None:
    link = env.belvo_link(bank=EREBOR)
    Integration.objects.filter(pk=env.belvo.pk).update(institutions_read_at=timezone.now() - timedelta(days=1))
    del env.simulator.store.institutions[EREBOR]

    env.post(f"/integrations/{env.belvo.pk}/institutions/read/", name="mia")

    gone = Institution.objects.select_related("integration").get(pk=link.institution_id)
    assert not gone.is_listed
    assert names(env.open("/institutions/?listed=no")) == [EREBOR]
    assert "No longer listed" in env.open(gone.get_absolute_url()).words


def test_institution_we_dont_have_is_looked_up_and_stored(env: Environment) -> None:
    Institution.objects.filter(name=EREBOR).delete()
    url = f"/integrations/{env.belvo.pk}/institutions/"

    page = env.post(url, {"display_name": "Erebor", "country_code": "MX"})

    assert names(page) == [EREBOR]
    assert env.bank(EREBOR).get_absolute_url() in page.links()
    assert "Page 1" in page.words


def test_count_of_links_leads_to_them_from_the_lookup(env: Environment) -> None:
    env.belvo_link(bank=EREBOR)

    page = env.post(f"/integrations/{env.belvo.pk}/institutions/", {"display_name": "Erebor"})

    assert f"/links/?institution={env.bank(EREBOR).pk}&state=active" in page.links()


def test_lookup_that_finds_nothing_says_so(env: Environment) -> None:
    page = env.post(f"/integrations/{env.belvo.pk}/institutions/", {"display_name": "Nowhere"})

    assert "The provider doesn't have this institution." in page.words


def test_provider_without_an_institution_list_has_no_such_pages(env: Environment) -> None:
    assert env.open(f"/integrations/{env.heron.pk}/institutions/").status == 404
    assert env.post(f"/integrations/{env.heron.pk}/institutions/read/", name="mia").status == 404


@pytest.mark.parametrize("one", [False, True])
def test_what_was_read_a_moment_ago_is_not_called_read_now(env: Environment, one: bool) -> None:
    url = f"{env.bank(EREBOR).get_absolute_url()}read/" if one else f"/integrations/{env.belvo.pk}/institutions/read/"
    name = "ana" if one else "mia"
    first = env.open(env.post(url, name=name).location, name).words
    calls = len(env.calls("GET", "/api/institutions/"))

    second = env.open(env.post(url, name=name).location, name).words

    said = "Refreshed just now" if one else "Institution list refreshed"
    assert said in first
    assert said not in second
    assert re.search(r"Refreshed \d+ s ago, so we sent no new request\.", second)
    assert len(env.calls("GET", "/api/institutions/")) == calls
