"""Provider lists, read live: links, customers, connectors. Nothing is stored, and no name leaves the page."""

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
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.types import Secret
from linkadmin.simulator.settings import SimulatorSettings
from tests.environment import Environment
from tests.markup import Page, read
from tests.slowness import SlowProvider

pytestmark = pytest.mark.django_db(transaction=True)


def records(integration: Integration, what: str) -> str:
    return f"/integrations/{integration.pk}/records/{what}/"


def wait_for_the_answer(env: Environment, url: str, **typed: str) -> Page:
    """Poll like the waiting panel until the answer is there."""
    env.settled()
    return env.post(url, {"poll": "1", **typed}, htmx=True)


def test_link_at_the_provider_leads_to_our_page_if_we_know_it(env: Environment) -> None:
    known = env.belvo_link("Acme Corp")
    stranger = env.belvo_link("Stranger", bank="gringotts_mx_retail")
    Link.objects.filter(pk=stranger.pk).delete()

    page = env.open(records(env.belvo, "links"))

    assert known.get_absolute_url() in page.links()
    assert f"{stranger.remote_id} {stranger.end_user.external_id}" in page.words
    assert "Not in Linkadmin" in page.words


def test_reading_takes_nothing_over(env: Environment) -> None:
    link = env.belvo_link()
    before = Link.objects.values().get(pk=link.pk)
    there = env.simulator.store.belvo_links[link.remote_id]
    assert there
    there.status = "token_required"

    page = env.open(records(env.belvo, "links"))

    assert "One-time code needed" in page.words
    assert Link.objects.values().get(pk=link.pk) == before


def test_list_that_needs_a_customer_is_not_asked_without_one(env: Environment) -> None:
    page = env.open(records(env.heron, "links"))

    assert "Search" in page.words
    assert env.calls("GET", "/api/integrations") == []


@pytest.mark.parametrize(("what", "typed", "is_open"), [("links", {}, False), ("links", {"created_at": "soon"}, True)])
def test_rarely_needed_filter_in_use_is_seen(env: Environment, what: str, typed: dict[str, str], is_open: bool) -> None:
    page = env.post(records(env.belvo, what), typed)

    folded = [each for each in page.elements if each.attrs.get("class") == "advanced"][-1]
    assert ("open" in folded.attrs) == is_open


def test_link_whose_code_nobody_can_give_says_what_its_own_page_says(env: Environment) -> None:
    links = [env.belvo_link(), env.belvo_link(bank="gringotts_mx_retail")]
    for link in links:
        env.simulator.store.belvo_links[link.remote_id].status = "unconfirmed"
    Operation.objects.create(
        link=links[0],
        integration=env.belvo,
        end_user=links[0].end_user,
        kind=OperationKind.SUBMIT_CODE,
        state=State.NEEDS_CODE,
        operation_key=uuid.uuid4(),
        actor=env.people["ana"],
    )

    words = env.open(records(env.belvo, "links")).words

    assert words.count("Registration interrupted") == words.count("Registration not finished") == 1


def test_links_of_one_customer_are_asked_for_in_a_body(env: Environment) -> None:
    link = env.heron_link("Blue Fern", item_id="item-blue")

    page = env.post(records(env.heron, "links"), {"end_user_id": link.end_user.external_id})

    assert "item-blue" in page.words
    assert link.get_absolute_url() in page.links()


def test_empty_required_filter_shows_an_error_at_its_field(env: Environment) -> None:
    page = env.post(records(env.heron, "links"), {"end_user_id": ""})

    assert page.status == 422
    assert page.error_at("end_user_id") == "This field is required."
    assert env.calls("GET", "/api/integrations") == []


def test_customers_are_listed_with_their_sources(env: Environment) -> None:
    link = env.heron_link("Blue Fern")

    page = env.open(records(env.heron, "customers"))

    assert link.end_user.external_id in page.words
    assert "one source" in page.words
    assert link.end_user.get_absolute_url() in page.links()


def test_failing_source_is_not_an_unrecognized_status(env: Environment) -> None:
    env.heron_link("Blue Fern", item_id="locked-1")
    env.clock.forward(60)

    page = env.open(records(env.heron, "customers"))

    assert "Not working one source" in page.words
    assert "Unrecognized status" not in page.words


def test_search_that_finds_nothing_offers_to_clear_it(env: Environment) -> None:
    here = records(env.belvo, "links")

    page = env.post(here, {"external_id": "nobody"})

    assert "No matching records" in page.words
    assert here in page.links()


def test_pages_are_turned_in_a_body_too(env: Environment) -> None:
    bank = env.bank("erebor_mx_retail")
    for number in range(101):
        body = {"institution": bank.name, "username": f"user{number}", "password": "pass_valid"}
        env.call_belvo("POST", "/api/links/", body)
    first = env.open(records(env.belvo, "links"))

    second = env.post(records(env.belvo, "links"), {"page": "2"})

    assert "Page 1 · 101 total" in first.words
    assert "Page 2 · 101 total" in second.words
    assert second.source.count("table__main") == 1


def test_connector_that_this_integration_uses_is_marked(env: Environment) -> None:
    page = env.open(records(env.heron, "connectors"), "mia")

    assert "itg_sandbox_transactions transaction plaid This integration" in page.words
    assert page.words.count("This integration") == 1


@pytest.mark.parametrize("what", ["customers", "connectors", "webhooks", "no-such-list"])
def test_what_a_provider_cannot_list_is_no_page(env: Environment, what: str) -> None:
    assert env.open(records(env.belvo, what), "mia").status == 404


def test_link_to_a_list_is_shown_only_where_it_works(env: Environment) -> None:
    belvo, heron = (env.open(each.get_absolute_url(), "mia") for each in (env.belvo, env.heron))

    assert records(env.belvo, "links") in belvo.links()
    assert records(env.belvo, "customers") not in belvo.links()
    assert {records(env.heron, what) for what in ("links", "customers", "connectors", "webhooks")} <= {*heron.links()}
    assert records(env.heron, "links") not in env.open(env.heron.get_absolute_url(), "adm").links()


def test_support_gets_there_from_their_own_lists(env: Environment) -> None:
    assert records(env.belvo, "links") in env.open("/links/").links()
    assert records(env.heron, "customers") in env.open("/customers/").links()
    assert records(env.belvo, "links") not in env.open("/links/", "aud").links()


def test_slow_provider_shows_that_it_is_asked_and_then_its_answer(env: Environment, slow: SlowProvider) -> None:
    link = env.belvo_link()
    env.simulator.configure(SimulatorSettings(latency=1))

    waiting = env.open(records(env.belvo, "links"))
    still = env.post(records(env.belvo, "links"), {"poll": "1"}, htmx=True)
    slow.answers()
    there = wait_for_the_answer(env, records(env.belvo, "links"))

    panel = next(form for form in waiting.forms if "poll" in form.names)
    assert (panel.attrs["hx-trigger"], panel.attrs["hx-post"]) == ("every 1s", panel.action)
    assert re.search(r"Contacting Belvo… \d+ s", waiting.words)
    assert (still.is_whole, "Contacting Belvo…" in still.words) == (False, True)
    assert link.remote_id in there.words
    assert not any("poll" in form.names for form in there.forms)
    assert len(env.calls("GET", "/api/links/")) == 1


def test_waiting_panel_asks_again_with_what_was_typed(env: Environment, slow: SlowProvider) -> None:
    link = env.heron_link("Blue Fern")
    env.simulator.configure(SimulatorSettings(latency=1))

    waiting = env.post(records(env.heron, "customers"), {"name": "Blue Fern"})
    panel = next(form for form in waiting.forms if "poll" in form.names)

    assert panel.values["name"] == "Blue Fern"
    assert "Blue" not in panel.action
    slow.answers()
    env.settled()
    read_again = read(env.client().post(panel.action, panel.values))
    assert read_again.is_whole
    assert link.end_user.external_id in read_again.words or "No matching records" in read_again.words


def test_integration_that_is_switched_off_is_not_asked(env: Environment) -> None:
    Integration.objects.filter(pk=env.belvo.pk).update(is_active=False)

    page = env.open(records(env.belvo, "links"))

    assert "No request was sent" in page.words
    assert env.calls("GET", "/api/links/") == []


def test_rejected_keys_are_one_warning_at_the_integration(env: Environment) -> None:
    store_secret(env.belvo, "secret_password", Secret("a wrong key"))

    page = env.open(records(env.belvo, "links"))

    env.belvo.refresh_from_db()
    assert "The provider rejected our API keys" in page.words
    assert "Nothing is wrong with the links or customers" in page.words
    assert "Invalid Secret Keys" in page.words
    assert env.belvo.key_state == Integration.KeyState.REJECTED


def test_good_answer_takes_the_warning_about_keys_back(env: Environment) -> None:
    Integration.objects.filter(pk=env.belvo.pk).update(key_state="unreachable", test_detail="timeout")

    env.open(records(env.belvo, "links"))

    env.belvo.refresh_from_db()
    assert (env.belvo.key_state, env.belvo.test_detail) == (Integration.KeyState.VALID, "")


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("html_200", "No usable response"),
        ("lost_before", "No usable response"),
        ("heron_400", "The provider rejected the request"),
        ("heron_404", "The provider has no record of this"),
        ("heron_429", "Can't do this right now"),
    ],
)
def test_answer_that_cannot_be_used_says_what_happened_and_what_to_do(
    env: Environment, settings: Settings, answer: str, title: str
) -> None:
    settings.PROVIDER_READ_SECONDS = 1.0  # no time to wait for as long as a 429 asks for
    env.simulator.fail("GET", "/api/end_users", answer, times=9)

    page = env.open(records(env.heron, "customers"))

    assert page.status == 200
    assert title in page.words
    assert "Reload" in page.words


def test_provider_that_cannot_be_reached_leaves_what_we_know_alone(env: Environment) -> None:
    Integration.objects.update(base_url="http://127.0.0.1:9")

    page = env.open(records(env.belvo, "links"))

    assert "We couldn't reach the provider We couldn't connect to the provider." in page.words
    assert "ask an administrator to test the integration's connection" in page.words


def test_call_that_is_held_back_says_why_and_sends_nobody_elsewhere(env: Environment) -> None:
    env.belvo.quotas.create(scope="", calls=1, used=1, window_ends_at=timezone.now() + timedelta(seconds=30))

    page = env.open(records(env.belvo, "links"))

    assert "Not requested We've used up the provider's rate limit for now." in page.words
    assert "the integration's page" not in page.words


def test_viewing_records_is_audited_without_names(env: Environment) -> None:
    env.heron_link("Blue Fern")

    env.post(records(env.heron, "customers"), {"name": "Blue Fern"})

    event = AuditEvent.objects.get(action="provider_records.viewed")
    assert (event.actor, event.object_type, event.object_id) == ("ana", "integration", str(env.heron.pk))
    assert event.details == {"what": "customers", "integration": str(env.heron.pk), "page": 1}


def test_name_that_was_searched_for_is_in_no_address_log_or_table(env: Environment, caplog: LogCaptureFixture) -> None:
    env.post(records(env.heron, "customers"), {"name": "Wilhelmina Quackenbush"})
    env.settled()

    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names are the database's own
            assert "Quackenbush" not in json.dumps(cursor.fetchall(), default=str), table
    assert "Quackenbush" not in caplog.text
    assert env.calls("GET", "/api/end_users")
