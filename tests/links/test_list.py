"""The work list: search by any ID or name, filters, keyset pages, two kinds of empty."""

import re
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import staff_work
from linkadmin.links.listing import known
from linkadmin.links.models import EndUser, Institution, Link, LinkSearch, search_text
from linkadmin.paging import PAGE_SIZE
from linkadmin.providers.types import Cause, HealthState
from tests.environment import HTMX, Environment
from tests.markup import Page, read

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ROW = re.compile(r'<a class="table__main" href="/links/([0-9a-f-]{36})/"')


def rows(page: Page) -> list[str]:
    """IDs of the links on a page, in order."""
    return ROW.findall(page.source)


def search(env: Environment, words: str, name: str = "ana", **headers: str) -> Page:
    return read(env.client(name).post("/links/", {"q": words}, headers=headers))


def many(integration: Integration, count: int) -> list[Link]:
    """Links with the same urgency and, in tens, the same time: only their IDs tell them apart."""
    since = timezone.now()
    customers = EndUser.objects.bulk_create(
        EndUser(external_id=f"cus-{number}", name=f"Zebra {number}") for number in range(count)
    )
    links = Link.objects.bulk_create(
        Link(
            integration=integration,
            end_user=customer,
            remote_id=f"link-{number}",
            urgency=30,
            health=HealthState.CUSTOMER_LOGIN.value,
            health_since=since - timedelta(hours=number // 10),
        )
        for number, customer in enumerate(customers)
    )
    LinkSearch.objects.bulk_create(LinkSearch(link=link, text=search_text(link)) for link in links)
    return links


def test_most_urgent_come_first(env: Environment) -> None:
    fine = env.heron_link(item_id="item-1", cause=Cause.WORKING)
    code = env.heron_link(item_id="item-2", cause=Cause.CODE_NEEDED)
    login = env.heron_link(item_id="item-3", cause=Cause.LOGIN_REQUIRED)

    assert rows(env.open("/links/")) == [str(link.pk) for link in (code, login, fine)]


def test_row_shows_customer_institution_status_and_waiting_on(env: Environment) -> None:
    link = env.heron_link("Acme Corp", bank="First Platypus Bank", cause=Cause.LOGIN_REQUIRED)

    words = env.open("/links/").words

    for said in ("Acme Corp", link.end_user.external_id, "First Platypus Bank", "Heron test"):
        assert said in words
    assert re.search(r"Sign-in needed Sign-in expired \d+ \w+ none yet", words)


@pytest.mark.parametrize("words", ["Acme", "acme corp", "PLATYPUS", "first corp", "cme"])
def test_link_is_found_by_words_of_its_names(env: Environment, words: str) -> None:
    link = env.heron_link("Acme Corp", bank="First Platypus Bank")
    env.heron_link("Blue Fern Bakery", item_id="item-2")

    assert rows(search(env, words)) == [str(link.pk)]


@pytest.mark.parametrize("part", ["remote_id", "end_user.external_id", "data_source_id", "pk"])
def test_link_is_found_by_a_part_of_each_of_its_ids(env: Environment, part: str) -> None:
    link = env.heron_link(item_id="Item-aBcDeF")
    Link.objects.filter(pk=link.pk).update(data_source_id="dso_1234567890")
    link.refresh_from_db()
    LinkSearch.objects.filter(link=link).update(text=search_text(link))
    env.heron_link(item_id="other-2")
    whole = link
    for name in part.split("."):
        whole = getattr(whole, name)

    assert rows(search(env, str(whole)[:-1])) == [str(link.pk)]


@pytest.mark.parametrize("part", ["remote_id", "pk"])
def test_exact_id_leads_to_the_link_itself(env: Environment, part: str) -> None:
    link = env.heron_link(item_id="Item-aBcDeF")
    env.heron_link(item_id="Item-aBcDeF-2")

    answer = search(env, f" {getattr(link, part)} ")

    assert (answer.status, answer.location) == (303, link.get_absolute_url())


def test_auditor_finds_a_link_by_the_start_of_an_id(env: Environment) -> None:
    link = env.heron_link(item_id="Item-aBcDeF")
    Link.objects.filter(pk=link.pk).update(data_source_id="dso_1234567890")

    for whole in (link.remote_id, link.end_user.external_id, "dso_1234567890", str(link.pk), str(link.pk).upper()):
        assert rows(search(env, whole[:-1], "aud")) == [str(link.pk)], whole


@pytest.mark.parametrize("words", ["Wilhelmina", "quackenbush", "wil", "Platypus", "tem-1"])
def test_auditor_cannot_find_names_by_searching(env: Environment, words: str) -> None:
    env.heron_link("Wilhelmina Quackenbush", item_id="item-1", bank="First Platypus Bank")

    assert rows(search(env, words, "ana"))
    assert not rows(search(env, words, "aud"))


def test_pasted_id_is_looked_up_in_an_index() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read faster without any index

    assert "link_by_remote_id" in Link.objects.filter(remote_id="item-1").explain()


def test_customers_id_leads_to_their_only_link(env: Environment) -> None:
    link = env.heron_link()

    answer = search(env, link.end_user.external_id)
    Link.objects.create(integration=env.belvo, end_user=link.end_user, remote_id="link-2")
    page = search(env, link.end_user.external_id)

    assert (answer.status, answer.location) == (303, link.get_absolute_url())
    assert page.status == 200


@pytest.mark.parametrize("words", ["%", "_", "acme'; drop table", "\x00", "a" * 5000, " "])
def test_unusual_search_terms_break_nothing(env: Environment, words: str) -> None:
    env.heron_link("Acme Corp")

    page = search(env, words)

    assert page.status == 200
    assert len(rows(page)) == (0 if words.strip(" \0") else 1)


def test_no_name_is_part_of_any_url(env: Environment) -> None:
    many(env.heron, PAGE_SIZE + 1)

    page = search(env, "zebra")

    assert page.status == 200
    addresses = [each.attrs.get(name, "") for each in page.elements for name in ("href", "action", "hx-get", "hx-post")]
    assert not [address for address in addresses if "zebra" in address.casefold()]
    assert not [each for each in page.forms if each.attrs.get("method", "get") == "get" and "q" in each.names]


def test_search_terms_in_a_url_are_ignored(env: Environment) -> None:
    env.heron_link("Acme Corp")

    assert len(rows(env.open("/links/?q=nobody"))) == 1


def test_next_page_of_a_search_is_of_the_same_search(env: Environment) -> None:
    links = many(env.heron, PAGE_SIZE + 5)
    env.heron_link("Blue Fern Bakery")
    first = search(env, "zebra")
    (turn,) = [each.attrs["formaction"] for each in first.elements if "after=" in each.attrs.get("formaction", "")]

    second = read(env.client().post(f"/links/{turn}", {"q": "zebra"}))

    assert sorted(rows(first) + rows(second)) == sorted(str(link.pk) for link in links)


@pytest.mark.parametrize(
    ("chosen", "causes"),
    [
        ("customer", {Cause.CODE_NEEDED, Cause.LOGIN_REQUIRED, Cause.CONSENT_EXPIRED, Cause.ACCOUNT_LOCKED}),
        ("wait", {Cause.BANK_DOWN}),
        ("us", {Cause.RIGHTS_MISSING, Cause.SOURCE_UNKNOWN, Cause.STALE}),
        ("fine", {Cause.WORKING, Cause.PENDING}),
        ("ended", {Cause.GONE}),
        ("customer_code", {Cause.CODE_NEEDED}),
        ("healthy", {Cause.WORKING}),
    ],
)
def test_list_is_filtered_by_status_and_group(env: Environment, chosen: str, causes: set[Cause]) -> None:
    every = [
        Cause.CODE_NEEDED, Cause.LOGIN_REQUIRED, Cause.CONSENT_EXPIRED, Cause.ACCOUNT_LOCKED, Cause.BANK_DOWN,
        Cause.RIGHTS_MISSING, Cause.SOURCE_UNKNOWN, Cause.STALE, Cause.WORKING, Cause.PENDING, Cause.GONE,
    ]  # fmt: skip
    links = {cause: env.heron_link(item_id=f"item-{cause.value}", cause=cause) for cause in every}

    page = env.open(f"/links/?state={chosen}")

    assert set(rows(page)) == {str(links[cause].pk) for cause in causes}


def test_link_being_verified_is_a_group_of_its_own(env: Environment) -> None:
    link = env.heron_link(cause=Cause.LOGIN_REQUIRED)
    Link.objects.filter(pk=link.pk).update(verifying_since=timezone.now(), urgency=80)

    assert rows(env.open("/links/?state=verifying")) == [str(link.pk)]
    assert rows(env.open("/links/?state=customer")) == []
    assert "Verifying repair" in env.open("/links/").words


def test_list_is_filtered_by_integration_bank_and_assignee(env: Environment) -> None:
    belvo = env.belvo_link()
    heron = env.heron_link(bank="First Platypus Bank")
    Link.objects.filter(pk=heron.pk).update(assignee=env.people["ana"])
    assert heron.institution is not None

    assert rows(env.open(f"/links/?integration={env.belvo.pk}")) == [str(belvo.pk)]
    assert rows(env.open(f"/links/?institution={heron.institution.pk}")) == [str(heron.pk)]
    assert rows(env.open("/links/?assigned=mine")) == [str(heron.pk)]
    assert rows(env.open("/links/?assigned=mine", "ben")) == []
    assert rows(env.open("/links/?assigned=nobody")) == [str(belvo.pk)]


def test_each_active_filter_can_be_removed(env: Environment) -> None:
    page = env.open(f"/links/?state=customer&integration={env.belvo.pk}")

    removed = [each.attrs["href"] for each in page.elements if each.attrs.get("class") == "chip__clear"]
    assert removed == [f"/links/?integration={env.belvo.pk}", "/links/?state=customer"]


def test_no_two_statuses_to_choose_have_the_same_name(env: Environment) -> None:
    env.belvo_link()
    offered = env.open("/links/").source.split('id="filter-state"')[1].split("</details>")[0]
    labels = [text.strip() for text in re.findall(r"<bdi>([^<>]+)</bdi></a>", offered)]

    assert len(labels) > len(HealthState)
    assert sorted(labels) == sorted(set(labels))


@pytest.mark.parametrize("query", ["state=broken", "integration=1", f"institution={uuid.UUID(int=0)}", "assigned=me"])
def test_filter_that_is_not_offered_is_a_bad_request(env: Environment, query: str) -> None:
    assert env.client().get(f"/links/?{query}").status_code == 400


def test_staff_id_is_understood_in_any_form(env: Environment) -> None:
    ben = env.people["ben"]

    for text in (str(ben.pk).upper(), ben.pk.hex):
        page = env.open(f"/links/?assigned={text}")
        assert (page.status, f"Assignee: {ben.display_name}" in page.words) == (200, True)


@pytest.mark.parametrize("name", ["assigned", "integration", "older", "customer", "sort"])
def test_last_of_several_values_filters(env: Environment, name: str) -> None:
    values = {"assigned": "mine", "integration": env.heron.pk, "older": 7, "customer": uuid.UUID(int=0), "sort": "sync"}

    page = env.open(f"/links/?{name}=x&{name}={values[name]}")

    assert page.status == 200
    assert page.source.count("chip__clear") == (name != "sort")
    assert "/links/" in page.links()  # without the filter


def test_field_that_is_no_filter_is_ignored(env: Environment) -> None:
    link = env.heron_link()

    assert rows(env.open("/links/?end_user__name=x&order_by=secrets")) == [str(link.pk)]


def test_pages_show_every_link_once_forwards_and_backwards(env: Environment) -> None:
    links = many(env.heron, 2 * PAGE_SIZE + 7)
    url, forwards, last = "/links/", [], ""
    while url:
        page, last = env.open(url), url
        forwards += rows(page)
        url = next((f"/links/{href}" for href in page.links() if "after=" in href), "")
    url, backwards = last, []
    while url:
        page = env.open(url)
        backwards = rows(page) + backwards
        url = next(
            (f"/links/{href}" for href in page.links() if "before=" in href and not href.endswith("before=")), ""
        )

    assert sorted(forwards) == sorted(str(link.pk) for link in links)
    assert backwards == forwards


def test_pages_keep_the_filter(env: Environment) -> None:
    many(env.heron, PAGE_SIZE + 1)

    page = env.open("/links/?state=customer")

    (turn,) = [href for href in page.links() if "after=" in href]
    assert turn.startswith("?state=customer&after=")
    assert len(rows(env.open(f"/links/{turn}"))) == 1


ID = str(uuid.UUID(int=1))
BAD_CURSORS = ["%%%", "1.2", "1.2.3.4", f"x.1.{ID}", f"1.y.{ID}", "1.1.5", f"-1.1.{ID}", f"{10**30}.1.{ID}",
               f"1.{10**30}.{ID}", f"1.-{10**17}.{ID}", ".."]  # fmt: skip


@pytest.mark.parametrize("text", BAD_CURSORS)
@pytest.mark.parametrize("way", ["after", "before"])
def test_bad_cursor_leads_to_the_first_page(env: Environment, way: str, text: str) -> None:
    link = env.heron_link()

    page = env.open(f"/links/?{urlencode({way: text})}")

    assert (page.status, rows(page)) == (200, [str(link.pk)])


def test_tabs_count_the_links_of_each_group(env: Environment) -> None:
    for number in range(3):
        env.heron_link(item_id=f"item-{number}", cause=Cause.LOGIN_REQUIRED)
    env.heron_link(item_id="item-3", cause=Cause.CODE_NEEDED)
    env.heron_link(item_id="item-4", cause=Cause.BANK_DOWN)

    assert "Waiting on customer 4 Bank/provider 1 Us 0 All 5 Mine 0" in env.open("/links/").words


def test_tabs_keep_other_filters_and_count_with_them(env: Environment) -> None:
    env.heron_link(cause=Cause.LOGIN_REQUIRED)
    env.belvo_link(cause=Cause.LOGIN_REQUIRED)

    page = env.open(f"/links/?integration={env.belvo.pk}&state=us&sort=since")

    assert "Waiting on customer 1 Bank/provider 0 Us 0 All 1 Mine" in page.words
    assert f"/links/?state=customer&integration={env.belvo.pk}&sort=since" in page.links()
    assert f"/links/?integration={env.belvo.pk}&sort=since" in page.links()
    assert f"/links/?integration={env.belvo.pk}&assigned=mine&sort=since" in page.links()


def test_tabs_leave_the_readers_own_links(env: Environment) -> None:
    mine = env.heron_link(cause=Cause.LOGIN_REQUIRED)
    env.belvo_link(cause=Cause.LOGIN_REQUIRED)
    staff_work.assign(mine, by=env.people["ana"], assignee=env.people["ana"])

    page = env.open("/links/?assigned=mine")

    assert rows(page) == [str(mine.pk)]
    assert "Waiting on customer 2 Bank/provider 0 Us 0 All 2 Mine 1" in page.words
    assert "/links/?state=customer" in page.links()


def test_nobodys_own_list_leads_to_all_links(env: Environment) -> None:
    env.heron_link()

    page = env.open("/links/?assigned=mine")

    assert "Nothing is assigned to you" in page.words
    assert page.links().count("/links/") > 1


def test_heads_sort_both_ways(env: Environment) -> None:
    page = env.open("/links/?state=customer&sort=since")

    assert "/links/?state=customer&sort=-since" in page.links()
    assert "/links/?state=customer&sort=customer" in page.links()
    assert "/links/?state=customer" in page.links()  # by urgency


def test_filters_of_a_search_send_its_words_again(env: Environment) -> None:
    env.heron_link("Acme Corp", cause=Cause.LOGIN_REQUIRED)
    working = env.heron_link("Acme Bakery", item_id="item-2", cause=Cause.WORKING)
    found = search(env, "acme")

    targets = [each.attrs["formaction"] for each in found.elements if each.attrs.get("form") == "search-again"]
    assert "/links/?state=fine" in targets
    assert not any("acme" in target.lower() for target in targets)
    assert rows(read(env.client().post("/links/?state=fine", {"q": "acme"}))) == [str(working.pk)]


@pytest.mark.parametrize("url", ["/links/", "/customers/"])
def test_pages_of_a_search_send_its_words_again(env: Environment, url: str) -> None:
    many(env.heron, PAGE_SIZE + 1)
    first = read(env.client().post(url, {"q": "zebra"}))

    (turn,) = [each.attrs for each in first.elements if "after=" in each.attrs.get("formaction", "")]
    (again,) = [each.attrs for each in first.elements if each.attrs.get("id") == turn["form"]]
    assert (again["method"], first.form_with("q").values["q"]) == ("post", "zebra")
    second = read(env.client().post(f"{url}{turn['formaction']}", {"q": "zebra"}))
    assert second.source.count('class="table__main"') == 1


@pytest.mark.parametrize(("name", "is_offered"), [("ana", True), ("mia", False), ("aud", False)])
def test_row_offers_what_its_reader_can_do(env: Environment, name: str, *, is_offered: bool) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REQUIRED)

    assert (f"/links/{link.pk}/credentials/" in env.open("/links/", name).links()) is is_offered


@pytest.mark.django_db(transaction=True)
def test_row_leads_to_an_open_code_step(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.CODE_NEEDED)
    env.send(f"/links/{link.pk}/credentials/", password="numeric_code")

    page = env.open("/links/")

    assert f"/links/{link.pk}/code/" in page.links()
    assert f"/links/{link.pk}/credentials/" not in page.links()


@pytest.mark.parametrize("cause", [Cause.WORKING, Cause.BANK_DOWN, Cause.ACCOUNT_LOCKED])
def test_row_offers_nothing_that_does_not_help(env: Environment, cause: Cause) -> None:
    link = env.belvo_link(cause=cause)

    assert [url for url in env.open("/links/").links() if str(link.pk) in url] == [f"/links/{link.pk}/"]


def test_typed_institution_is_suggested_with_the_other_filters(env: Environment) -> None:
    bank = env.heron_link(bank="First Platypus Bank").institution
    assert bank is not None

    found = read(env.client().get("/links/institutions/", {"bank": "platy", "state": "us", "sort": ""}))

    assert found.links() == [f"/links/?state=us&institution={bank.pk}"]


def test_empty_list_offers_to_create_a_link(env: Environment) -> None:
    page = env.open("/links/")

    assert "No links yet" in page.words
    assert "/links/new/" in page.links()
    assert "/links/new/" not in env.open("/links/", "mia").links()


def test_nothing_found_offers_to_clear_the_filter(env: Environment) -> None:
    env.heron_link()

    assert "No links match these filters." in env.open("/links/?state=wait").words
    assert "No links match these filters." in search(env, "nobody").words


def test_htmx_search_returns_only_the_list(env: Environment) -> None:
    env.heron_link("Acme Corp")

    page = search(env, "acme", **HTMX)

    assert not page.is_whole
    assert 'id="results"' in page.source
    assert len(rows(page)) == 1


def test_queries_do_not_grow_with_the_rows(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    links = many(env.heron, PAGE_SIZE)
    banks = [Institution(integration=env.heron, name=link.remote_id, display_name="Bank") for link in links]
    for link, link.institution in zip(links, Institution.objects.bulk_create(banks), strict=True):
        link.save(update_fields=["institution"])
    env.open("/links/")
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)

    statements = []
    for shown in (PAGE_SIZE, 10):
        Link.objects.filter(pk__in=[link.pk for link in links[shown:]]).delete()
        with CaptureQueriesContext(connection) as captured:
            page = env.client().get("/links/")
        assert len(rows(read(page))) == shown
        statements.append(len(captured))
    assert statements[0] == statements[1] <= 8


def test_unknown_filter_gets_a_page_with_a_way_back(env: Environment) -> None:
    page = env.open("/links/?state=foo")

    assert page.status == 400
    assert "The URL contains a filter we don't recognize" in page.words
