"""What a provider lists, read live: links, customers, set-up. Nothing is taken over, and no name leaves the page."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from _pytest.logging import LogCaptureFixture
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.links.connections import keep_secret
from linkadmin.links.models import Integration, Link
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.types import Secret
from linkadmin.simulator.conduct import Conduct
from tests.house import House
from tests.markup import Page, read
from tests.slowness import SlowProvider

pytestmark = pytest.mark.django_db(transaction=True)


def records(integration: Integration, what: str) -> str:
    return f"/integrations/{integration.pk}/records/{what}/"


def wait_for_the_answer(house: House, url: str, **typed: str) -> Page:
    """Ask as the waiting panel does until it is no panel any more."""
    house.settled()
    return house.post(url, {"poll": "1", **typed}, htmx=True)


def test_link_at_the_provider_leads_to_our_page_if_we_know_it(house: House) -> None:
    known = house.belvo_link("Acme Corp")
    stranger = house.belvo_link("Stranger", bank="gringotts_mx_retail")
    Link.objects.filter(pk=stranger.pk).delete()

    page = house.open(records(house.belvo, "links"))

    assert known.get_absolute_url() in page.links()
    assert f"{stranger.remote_id} {stranger.end_user.external_id}" in page.words
    assert "Not known here" in page.words


def test_reading_takes_nothing_over(house: House) -> None:
    link = house.belvo_link()
    before = Link.objects.values().get(pk=link.pk)
    there = house.simulator.world.links.take(link.remote_id)
    assert there
    there.status = "token_required"

    page = house.open(records(house.belvo, "links"))

    assert "Customer must give a code" in page.words
    assert Link.objects.values().get(pk=link.pk) == before


def test_list_that_needs_a_customer_is_not_asked_without_one(house: House) -> None:
    page = house.open(records(house.heron, "links"))

    assert "Ask the provider" in page.words
    assert house.calls("GET", "/api/integrations") == []


@pytest.mark.parametrize(("what", "typed", "is_open"), [("links", {}, False), ("links", {"created_at": "soon"}, True)])
def test_rarely_needed_filter_in_use_is_seen(house: House, what: str, typed: dict[str, str], is_open: bool) -> None:
    page = house.post(records(house.belvo, what), typed)

    folded = [each for each in page.elements if each.attrs.get("class") == "advanced"][-1]
    assert ("open" in folded.attrs) == is_open


def test_link_whose_code_nobody_can_give_says_what_its_own_page_says(house: House) -> None:
    links = [house.belvo_link(), house.belvo_link(bank="gringotts_mx_retail")]
    for link in links:
        house.simulator.world.belvo_links[link.remote_id].status = "unconfirmed"
    Operation.objects.create(
        link=links[0],
        integration=house.belvo,
        end_user=links[0].end_user,
        kind=OperationKind.SUBMIT_TOKEN,
        state=State.NEEDS_TOKEN,
        operation_key=uuid.uuid4(),
        actor=house.people["ana"],
    )

    words = house.open(records(house.belvo, "links")).words

    assert words.count("Registration stopped half-way") == words.count("Registration was never finished") == 1


def test_links_of_one_customer_are_asked_for_in_a_body(house: House) -> None:
    link = house.heron_link("Blue Fern", item_id="item-blue")

    page = house.post(records(house.heron, "links"), {"end_user_id": link.end_user.external_id})

    assert "item-blue" in page.words
    assert link.get_absolute_url() in page.links()


def test_required_filter_left_empty_is_told_at_its_field(house: House) -> None:
    page = house.post(records(house.heron, "links"), {"end_user_id": ""})

    assert page.status == 422
    assert page.error_at("end_user_id") == "This field is required."
    assert house.calls("GET", "/api/integrations") == []


def test_customers_are_listed_with_their_sources(house: House) -> None:
    link = house.heron_link("Blue Fern")

    page = house.open(records(house.heron, "end-users"))

    assert link.end_user.external_id in page.words
    assert "one source" in page.words
    assert link.end_user.get_absolute_url() in page.links()


def test_source_in_trouble_is_told_apart_from_a_word_nobody_understands(house: House) -> None:
    house.heron_link("Blue Fern", item_id="locked-1")
    house.clock.forward(60)

    page = house.open(records(house.heron, "end-users"))

    assert "Does not work one source" in page.words
    assert "Not understood yet" not in page.words


def test_search_that_finds_nothing_offers_to_clear_it(house: House) -> None:
    here = records(house.belvo, "links")

    page = house.post(here, {"external_id": "nobody"})

    assert "Nothing there matches" in page.words
    assert here in page.links()


def test_pages_are_turned_in_a_body_too(house: House) -> None:
    bank = house.bank("erebor_mx_retail")
    for number in range(101):
        body = {"institution": bank.name, "username": f"user{number}", "password": "pass_valid"}
        house.call_belvo("POST", "/api/links/", body)
    first = house.open(records(house.belvo, "links"))

    second = house.post(records(house.belvo, "links"), {"page": "2"})

    assert "Page 1 · 101 in all" in first.words
    assert "Page 2 · 101 in all" in second.words
    assert second.source.count("table__main") == 1


def test_connector_that_this_integration_speaks_through_is_marked(house: House) -> None:
    page = house.open(records(house.heron, "connectors"), "mia")

    assert "itg_sandbox_transactions transaction plaid This integration" in page.words
    assert page.words.count("This integration") == 1


@pytest.mark.parametrize("what", ["end-users", "connectors", "webhooks", "no-such-list"])
def test_what_a_provider_cannot_list_is_no_page(house: House, what: str) -> None:
    assert house.open(records(house.belvo, what), "mia").status == 404


def test_way_to_a_list_is_drawn_only_where_it_leads_somewhere(house: House) -> None:
    belvo, heron = (house.open(each.get_absolute_url(), "mia") for each in (house.belvo, house.heron))

    assert records(house.belvo, "links") in belvo.links()
    assert records(house.belvo, "end-users") not in belvo.links()
    assert {records(house.heron, what) for what in ("links", "end-users", "connectors", "webhooks")} <= {*heron.links()}
    assert records(house.heron, "links") not in house.open(house.heron.get_absolute_url(), "adm").links()


def test_support_finds_the_way_from_their_own_lists(house: House) -> None:
    assert records(house.belvo, "links") in house.open("/links/").links()
    assert records(house.heron, "end-users") in house.open("/end-users/").links()
    assert records(house.belvo, "links") not in house.open("/links/", "aud").links()


def test_slow_provider_shows_that_it_is_asked_and_then_its_answer(house: House, slow: SlowProvider) -> None:
    link = house.belvo_link()
    house.simulator.behave(Conduct(latency=1))

    waiting = house.open(records(house.belvo, "links"))
    still = house.post(records(house.belvo, "links"), {"poll": "1"}, htmx=True)
    slow.answers()
    there = wait_for_the_answer(house, records(house.belvo, "links"))

    panel = next(form for form in waiting.forms if "poll" in form.names)
    assert (panel.attrs["hx-trigger"], panel.attrs["hx-post"]) == ("every 1s", panel.action)
    assert re.search(r"Asking Belvo… \d+ s", waiting.words)
    assert (still.is_whole, "Asking Belvo…" in still.words) == (False, True)
    assert link.remote_id in there.words
    assert not any("poll" in form.names for form in there.forms)
    assert len(house.calls("GET", "/api/links/")) == 1


def test_waiting_panel_asks_again_with_what_was_typed(house: House, slow: SlowProvider) -> None:
    link = house.heron_link("Blue Fern")
    house.simulator.behave(Conduct(latency=1))

    waiting = house.post(records(house.heron, "end-users"), {"name": "Blue Fern"})
    panel = next(form for form in waiting.forms if "poll" in form.names)

    assert panel.values["name"] == "Blue Fern"
    assert "Blue" not in panel.action
    slow.answers()
    house.settled()
    read_again = read(house.client().post(panel.action, panel.values))
    assert read_again.is_whole
    assert link.end_user.external_id in read_again.words or "Nothing there matches" in read_again.words


def test_integration_that_is_switched_off_is_not_asked(house: House) -> None:
    Integration.objects.filter(pk=house.belvo.pk).update(is_active=False)

    page = house.open(records(house.belvo, "links"))

    assert "Nothing was asked" in page.words
    assert house.calls("GET", "/api/links/") == []


def test_refused_keys_are_one_warning_at_the_integration(house: House) -> None:
    keep_secret(house.belvo, "secret_password", Secret("a wrong key"))

    page = house.open(records(house.belvo, "links"))

    house.belvo.refresh_from_db()
    assert "The provider refused our keys" in page.words
    assert "No link and no customer is at fault" in page.words
    assert "Invalid Secret Keys" in page.words
    assert house.belvo.key_state == Integration.KeyState.REFUSED


def test_good_answer_takes_the_warning_about_keys_back(house: House) -> None:
    Integration.objects.filter(pk=house.belvo.pk).update(key_state="unreachable", test_detail="timeout")

    house.open(records(house.belvo, "links"))

    house.belvo.refresh_from_db()
    assert (house.belvo.key_state, house.belvo.test_detail) == (Integration.KeyState.GOOD, "")


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("html_200", "No usable answer came"),
        ("lost_before", "No usable answer came"),
        ("heron_400", "The provider did not accept the question"),
        ("heron_404", "The provider does not know it"),
        ("heron_429", "Not now"),
    ],
)
def test_answer_that_cannot_be_used_says_what_happened_and_what_to_do(
    house: House, settings: Settings, answer: str, title: str
) -> None:
    settings.PROVIDER_READ_SECONDS = 1.0  # no time to wait for as long as a 429 asks for
    house.simulator.fail("GET", "/api/end_users", answer, times=9)

    page = house.open(records(house.heron, "end-users"))

    assert page.status == 200
    assert title in page.words
    assert "Ask again" in page.words


def test_provider_that_cannot_be_reached_leaves_what_we_know_alone(house: House) -> None:
    Integration.objects.update(base_url="http://127.0.0.1:9")

    page = house.open(records(house.belvo, "links"))

    assert "The provider could not be reached No connection to the provider could be made." in page.words
    assert "tell an administrator to test the integration's connection" in page.words


def test_call_that_is_held_back_says_why_and_sends_nobody_elsewhere(house: House) -> None:
    house.belvo.quotas.create(scope="", calls=1, used=1, window_ends_at=timezone.now() + timedelta(seconds=30))

    page = house.open(records(house.belvo, "links"))

    assert "Not asked now The provider limits how often we may call, and nothing is left" in page.words
    assert "the integration's page" not in page.words


def test_look_at_records_is_an_event_without_any_name(house: House) -> None:
    house.heron_link("Blue Fern")

    house.post(records(house.heron, "end-users"), {"name": "Blue Fern"})

    event = AuditEvent.objects.get(action="records.viewed")
    assert (event.actor, event.object_type, event.object_id) == ("ana", "integration", str(house.heron.pk))
    assert event.details == {"what": "end-users", "integration": str(house.heron.pk), "page": 1}


def test_name_that_was_searched_for_is_in_no_address_log_or_table(house: House, caplog: LogCaptureFixture) -> None:
    house.post(records(house.heron, "end-users"), {"name": "Wilhelmina Quackenbush"})
    house.settled()

    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names are the database's own
            assert "Quackenbush" not in json.dumps(cursor.fetchall(), default=str), table
    assert "Quackenbush" not in caplog.text
    assert house.calls("GET", "/api/end_users")
