"""Distinct secrets are typed into every secret field, with every outcome of a form. None is stored anywhere."""

import pytest

from .conftest import Typed
from .typist import LOGIN_FIELDS, UPDATE_FIELDS


def test_no_secret_is_kept_anywhere(typed: Typed) -> None:
    assert typed.secrets.found_in(typed.places) == []


def test_what_a_bank_shows_is_in_the_one_page_that_shows_it(typed: Typed) -> None:
    found = typed.shown.found_in(typed.places)

    assert {place.split(" in ")[0] for place in found} == {"number", "instructions"}
    assert all("/code/" in place for place in found), found


def test_secret_made_here_is_in_the_one_page_that_shows_it(typed: Typed) -> None:
    [place] = [name for name, data in typed.places.items() if typed.made.encode() in data]

    assert place.startswith("answer to POST /integrations/")
    assert place.endswith("/endpoint/secrets/new/")


def test_invitation_is_only_in_the_pages_that_show_and_take_it(typed: Typed) -> None:
    places = {name for name, data in typed.places.items() if typed.invitation.encode() in data}

    assert {place.partition(" to ")[2] for place in places} == {"POST /staff/new/", "POST /accounts/join/"}, places


def test_customers_urls_and_cookies_are_only_in_the_page_that_shows_the_message(typed: Typed) -> None:
    places = {name for name, data in typed.places.items() if any(each.encode() in data for each in typed.repair_tokens)}

    assert {place.partition(" to ")[2].rpartition("/links/")[0] for place in places} == {"POST "}, places
    assert all(place.endswith("/repair-request/") for place in places), places


def test_second_factors_are_only_in_the_page_that_adds_them(typed: Typed) -> None:
    places = {name for name, data in typed.places.items() if any(each.encode() in data for each in typed.second_factor)}

    assert {place.partition(" to ")[2] for place in places} == {
        "GET /accounts/factors/app/",
        "POST /accounts/factors/app/",
    }


def test_messages_that_repeat_their_proof_were_kept_without_it(typed: Typed) -> None:
    kept = next(data for name, data in typed.places.items() if name == "table webhooks_webhookdelivery")

    assert kept.count(b"WEATHER echo") + kept.count(b"weather.echo") >= 2
    assert b"withheld" in kept


def test_every_field_did_reach_the_provider(typed: Typed) -> None:
    heard = {"what the echo server heard": "\n".join(typed.heard).encode()}

    reached = {label.split(" in ")[0] for label in typed.secrets.found_in(heard)}

    keys = {"belvo_secret_id", "belvo_secret_password", "heron_api_key"}
    assert reached >= {
        *LOGIN_FIELDS,
        *UPDATE_FIELDS,
        *keys,
        "access_token",
        "asset_report_token",
        "new access_token",
        "code",
    }


def test_a_call_cut_by_a_kill_is_still_an_operation(typed: Typed) -> None:
    assert "Contacting the bank" in typed.killed or "Outcome unknown" in typed.killed


@pytest.mark.processes
@pytest.mark.parametrize("typed", ["embedded"], indirect=True)
@pytest.mark.parametrize(
    ("place", "known"),
    [
        ("data/linkadmin.sqlite3", "ironbank_br_retail"),
        ("data/linkadmin.sqlite3-wal", "Customer 0 of the echo server"),
        ("data/simulator.json", "ironbank_br_retail"),
        ("data/keys/secret_key", ""),
        ("logs/web.log", "POST /links/"),
        ("logs/worker.log", "operations.reconcile"),
        ("logs/beat.log", "is starting"),
        ("table audit_auditevent", "operation.update_credentials"),
        ("table operations_operation", "SignInRejected"),
        ("table integrations_integrationsecret", "secret_password"),
        ("table webhooks_webhookdelivery", "WEATHER echo"),
        ("sessions, opened", "_auth_user_id"),
        ("answer to POST /accounts/login/", "Set-Cookie"),
    ],
)
def test_each_place_holds_what_it_is_known_to_hold(typed: Typed, place: str, known: str) -> None:
    assert known.encode() in typed.places[place]


@pytest.mark.processes
@pytest.mark.parametrize("typed", ["embedded"], indirect=True)
def test_messages_were_waiting_in_the_broker(typed: Typed) -> None:
    assert any(name.startswith("data/broker/messages/") for name in typed.places)


@pytest.mark.servers
@pytest.mark.parametrize("typed", ["servers"], indirect=True)
def test_messages_were_waiting_in_redis(typed: Typed) -> None:
    assert b"heartbeats.tick" in typed.places["LINKADMIN_BROKER_URL b'celery'"]
