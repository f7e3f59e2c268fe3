"""Belvo: the events that send webhooks, and those that don't."""

from collections.abc import Iterator
from typing import Any

import pytest

from linkadmin.simulator.belvo.consents import CPF_USERNAMES
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, MovableClock
from .receiver import Receiver

DAY = 86_400
CREDENTIALS = {"institution": "heimdall_mx_retail"}


@pytest.fixture
def simulator(simulator: Simulator, receiver: Receiver) -> Iterator[Simulator]:
    simulator.webhooks(belvo_url=receiver.url())
    return simulator


def received(simulator: Simulator, receiver: Receiver) -> list[dict[str, Any]]:
    """Wait for all webhooks and return them."""
    assert simulator.delivered()
    bodies = [got.body for got in receiver.got]
    receiver.got.clear()
    return bodies


def codes(bodies: list[dict[str, Any]]) -> list[str]:
    return [f"{body['webhook_type']} {body['webhook_code']}" for body in bodies]


def broken(belvo: Belvo, simulator: Simulator, **more: Any) -> str:
    """Create a link that the bank rejects from now on."""
    link = belvo.new_link(fetch_resources=["ACCOUNTS"], **more)
    for _ in range(6):
        belvo.update(link, "pass_invalid")
    return link


def test_a_first_load_tells_of_each_resource(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    link = belvo.new_link(external_id="cust-1", fetch_resources=["ACCOUNTS", "TRANSACTIONS"])

    accounts, transactions = received(simulator, receiver)
    assert transactions == {
        "webhook_id": accounts["webhook_id"],
        "webhook_type": "TRANSACTIONS",
        "process_type": "historical_update",
        "webhook_code": "historical_update",
        "link_id": link,
        "request_id": accounts["request_id"],
        "external_id": "cust-1",
        "data": {
            "total_transactions": 120,
            "total_inflow_transactions": 40,
            "total_outflow_transactions": 80,
            "first_transaction_date": "2025-09-21",
            "last_transaction_date": "2026-09-21",
        },
    }
    assert (accounts["webhook_type"], accounts["data"]) == ("ACCOUNTS", {"total_accounts": 2})


def test_the_header_is_the_practice_one_until_another_is_set(
    simulator: Simulator, belvo: Belvo, receiver: Receiver
) -> None:
    belvo.new_link(fetch_resources=["OWNERS"])
    assert simulator.delivered()

    assert receiver.got[0].headers["authorization"] == "Bearer belvo-sandbox-practice"
    assert receiver.got[0].headers["content-type"] == "application/json"


def test_a_link_that_waits_for_a_code_sends_webhooks_once_it_has_it(
    simulator: Simulator, belvo: Belvo, receiver: Receiver
) -> None:
    challenge = belvo.register("mfa_default", fetch_resources=["OWNERS"], **CREDENTIALS).json()[0]
    before = received(simulator, receiver)

    belvo.resume(challenge, "111111")

    assert before == []
    assert codes(received(simulator, receiver)) == ["OWNERS historical_update"]


def test_a_repair_tells_of_data_and_never_that_a_link_is_valid(
    simulator: Simulator, belvo: Belvo, receiver: Receiver
) -> None:
    link = broken(belvo, simulator)
    before = codes(received(simulator, receiver))

    belvo.update(link, "pass_valid")

    assert before == ["ACCOUNTS historical_update"]  # rejected credentials of ours get a response, not a webhook
    assert codes(received(simulator, receiver)) == ["ACCOUNTS historical_update"]


def test_a_single_link_is_not_fetched_by_a_repair(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    link = broken(belvo, simulator, access_mode="single")
    received(simulator, receiver)

    belvo.update(link, "pass_valid")

    assert received(simulator, receiver) == []


def test_a_refresh_comes_back_with_its_request(simulator: Simulator, belvo: Belvo, receiver: Receiver) -> None:
    link = belvo.new_link(fetch_resources=["ACCOUNTS"])
    received(simulator, receiver)

    request_id = belvo("POST", f"/api/links/{link}/refresh/", {}).json()["request_id"]

    (body,) = received(simulator, receiver)
    assert len(body["request_id"]) == 36
    assert body["request_id"].replace("-", "") == request_id


def test_a_refresh_that_the_bank_rejects_sends_a_webhook(
    simulator: Simulator, belvo: Belvo, receiver: Receiver
) -> None:
    link = broken(belvo, simulator)
    received(simulator, receiver)

    belvo("POST", f"/api/links/{link}/refresh/", {})

    (body,) = received(simulator, receiver)
    assert codes([body]) == ["LINK invalid_credentials"]
    assert body["data"] == {
        "error_code": "login_error",
        "error_message": "Invalid credentials provided to login to the institution",
        "status": 400,
    }


def test_a_removal_in_the_background_ends_with_a_message(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, clock: MovableClock
) -> None:
    link, other = (belvo.new_link(name, fetch_resources=["OWNERS"]) for name in ("maria", "tomas"))
    received(simulator, receiver)

    request = belvo("DELETE", f"/api/links/{link}/", headers={"X-Belvo-Request-Mode": "async"}).json()["request_id"]
    belvo("DELETE", f"/api/links/{other}/")
    before = received(simulator, receiver)
    clock.forward(5)
    belvo("GET", "/api/links/")

    (body,) = received(simulator, receiver)
    assert before == []
    assert codes([body]) == ["LINK link_deleted"]
    assert (body["link_id"], body["request_id"].replace("-", "")) == (link, request)


def test_a_recurrent_update_finds_more(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, clock: MovableClock
) -> None:
    link = belvo.new_link()
    received(simulator, receiver)

    clock.forward(7 * DAY)
    belvo("GET", "/api/links/")

    (body,) = received(simulator, receiver)
    assert codes([body]) == ["TRANSACTIONS new_transactions_available"]
    assert (body["link_id"], body["process_type"]) == (link, "recurrent_update")


def test_a_consent_sends_webhooks_before_it_ends_and_when_it_ends(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, clock: MovableClock
) -> None:
    link = belvo.new_link("12345678901", institution="ofmockbank_br_retail")
    seen = []
    for days in (350, 8, 7):
        clock.forward(days * DAY)
        belvo("GET", "/api/links/")
        seen.append([body for body in received(simulator, receiver) if body["webhook_type"] == "CONSENT"])

    nothing, (ending,), (ended,) = seen
    consent = belvo("GET", "/api/consents/").json()["results"][0]
    assert nothing == []
    assert (ending["webhook_code"], ended["webhook_code"]) == (
        "openfinance_consent_about_to_expire",
        "openfinance_consent_expired",
    )
    assert ending["data"] == {
        "consent_id": consent["id"],
        "consent_due_date": "2027-09-21T14:13:20.000Z",
        "action": "renew",
        "institution": "ofmockbank_br_retail",
        "institution_display_name": "OF Mock Bank",
        "institution_icon_logo": None,
    }
    assert (ended["link_id"], "request_id" in ended) == (link, False)
    assert ended["data"] == {name: text for name, text in ending["data"].items() if name != "consent_due_date"}


def test_unauthorised_or_single_consents_send_no_webhooks(
    simulator: Simulator, belvo: Belvo, receiver: Receiver, clock: MovableClock
) -> None:
    bank = {"institution": "ofmockbank_br_retail"}
    for typed in CPF_USERNAMES:
        if typed.status != "AUTHORISED" or typed.lasts is None:
            belvo.new_link(typed.username, **bank)
    belvo.new_link("12345678901", access_mode="single", **bank)

    clock.forward(400 * DAY)
    belvo("GET", "/api/links/")

    assert [body for body in received(simulator, receiver) if body["webhook_type"] == "CONSENT"] == []
