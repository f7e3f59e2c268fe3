"""Heron: links and their changes, end users, data sources, and the outcome of each access token."""

import pytest
import requests

from linkadmin.simulator.heron.guide import ITEM_PREFIXES, ItemPrefix

from .conftest import Heron, MovableClock


def test_the_greeting_needs_no_key_and_the_test_of_the_key_does(heron: Heron) -> None:
    greeting = requests.get(f"{heron.url}/api/hello_world", timeout=60)
    refused = requests.get(f"{heron.url}/api/hello_world/authenticated", headers={"x-api-key": "no"}, timeout=60)

    assert greeting.json() == {"hello": "world"}
    assert heron("GET", "/api/hello_world/authenticated").status_code == 200
    assert refused.status_code == 401
    assert refused.json() == {"code": 401, "name": "Unauthorized", "description": "Missing or invalid API key"}


def test_every_answer_tells_the_rate_limit(heron: Heron) -> None:
    for answer in (heron("GET", "/api/integrations"), heron("GET", "/api/end_users/nobody")):
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= answer.headers.keys()


def test_there_is_an_integration_for_each_resource(heron: Heron) -> None:
    integrations = heron("GET", "/api/integrations").json()["integrations"]

    resources = {each["heron_id"]: each["resource"] for each in integrations}
    assert resources == {"itg_sandbox_transactions": "transaction", "itg_sandbox_assets": "assets_report"}
    assert all(each["client_secret"] is None for each in integrations)


def test_a_new_link_is_pending_and_becomes_active(heron: Heron, clock: MovableClock) -> None:
    answer = heron.create("item-1")
    clock.forward(3)

    link = answer.json()["link"]
    assert answer.status_code == 201
    assert (link["status"], link["last_successful_sync"], link["type"]) == ("pending", None, "plaid_integration")
    assert link["data_source_heron_id"].startswith("dso_")
    assert [(each["item_id"], each["status"]) for each in heron.links_of("cust-1")] == [("item-1", "active")]
    assert heron.links_of("cust-1")[0]["last_successful_sync"] is not None


@pytest.mark.parametrize("item_prefix", ITEM_PREFIXES, ids=lambda item_prefix: item_prefix.prefix)
def test_the_item_id_prefix_decides_the_links_status(
    heron: Heron, clock: MovableClock, item_prefix: ItemPrefix
) -> None:
    heron.create(f"{item_prefix.prefix}1")
    clock.forward(3)

    link = heron.links_of("cust-1")[0]

    assert (link["status"], link["status_message"]) == (item_prefix.status, item_prefix.message)


def test_an_unknown_customer_is_added_with_its_name(heron: Heron) -> None:
    heron.create("item-1")

    user = heron("GET", "/api/end_users/cust-1").json()["end_user"]

    assert (user["name"], user["status"]) == ("Blue Fern Bakery", "new")
    assert user["heron_id"].startswith("eus_")
    assert heron("GET", f"/api/end_users/{user['heron_id']}").json()["end_user"] == user


def test_an_item_is_known_once(heron: Heron) -> None:
    heron.create("item-1")

    answer = heron.create("item-1", end_user_id="cust-2")

    assert (answer.status_code, answer.json()["name"]) == (409, "Conflict")
    assert heron("GET", "/api/end_users/cust-2").status_code == 404


@pytest.mark.parametrize(
    ("token", "status", "links"),
    [
        ("access-anything", 201, 1),
        ("access-invalid", 422, 0),
        ("access-known-2", 422, 0),
        ("access-409", 409, 0),
        ("access-401", 401, 0),
        ("access-403", 403, 0),
        ("access-429", 429, 0),
        ("access-500", 500, 0),
        ("access-500-again", 500, 0),
        ("access-500-acted", 500, 1),
    ],
)
def test_an_access_token_decides_the_answer(heron: Heron, token: str, status: int, links: int) -> None:
    heron("POST", "/api/end_users", {"end_user": {"end_user_id": "cust-1"}})

    answer = heron.create("item-1", token)

    assert answer.status_code == status
    assert len(heron.links_of("cust-1")) == links


@pytest.mark.parametrize(
    ("token", "links"), [("access-lost", 1), ("access-lost-before", 0), ("access-unreadable", 1), ("access-cut", 1)]
)
def test_the_answer_can_be_lost(heron: Heron, token: str, links: int) -> None:
    heron("POST", "/api/end_users", {"end_user": {"end_user_id": "cust-1"}})

    with pytest.raises(requests.RequestException):
        heron.create("item-1", token).json()

    assert len(heron.links_of("cust-1")) == links


def test_heron_can_be_slow(heron: Heron) -> None:
    answer = heron.create("item-1", "access-slow-1")

    assert answer.status_code == 201
    assert answer.elapsed.total_seconds() >= 1


def test_an_invalid_link_returns_an_error_for_each_field(heron: Heron) -> None:
    answer = heron("POST", heron.links, {"access_token": None, "end_user_id": 7, "extra": 1})

    assert answer.status_code == 422
    assert answer.json()["description"]["json"] == {
        "access_token": ["Field may not be null."],
        "end_user_id": ["Not a valid string."],
        "item_id": ["Missing data for required field."],
        "extra": ["Unknown field."],
    }


def test_unknown_things_are_not_found(heron: Heron) -> None:
    body = {"access_token": "a", "end_user_id": "cust-1", "item_id": "item-1"}

    integration = heron("POST", "/api/integrations/itg_other/links", body)
    end_user = heron("GET", "/api/end_users/nobody/integration_links")

    assert integration.json() == {"code": 404, "name": "Not Found", "description": "Integration not found"}
    assert end_user.json()["description"] == "End user not found"


def test_an_unsupported_method_is_rejected(heron: Heron) -> None:
    answer = heron("DELETE", "/api/integrations")

    assert (answer.status_code, answer.json()["name"]) == (405, "Method Not Allowed")


def test_the_links_of_an_integration_need_a_customer(heron: Heron) -> None:
    heron.create("item-1")
    heron("POST", "/api/integrations/itg_sandbox_assets/links", {
        "access_token": "a", "end_user_id": "cust-1", "item_id": "item-2",
    })  # fmt: skip

    without = heron("GET", heron.links)
    links = heron("GET", f"{heron.links}?end_user_id_or_heron_id=cust-1").json()["links"]

    assert without.status_code == 422
    assert [link["item_id"] for link in links] == ["item-1"]
    assert [link["type"] for link in heron.links_of("cust-1")] == ["plaid_integration", "plaid_assets_report"]


def test_a_refresh_syncs_and_does_not_heal(heron: Heron, clock: MovableClock) -> None:
    heron.create("login-required-1")
    clock.forward(3)

    refreshed = heron("POST", f"{heron.links}/login-required-1/refresh").json()["link"]
    clock.forward(3)

    assert refreshed["status"] == "syncing"
    assert heron.links_of("cust-1")[0]["status"] == "erroring"


def test_a_new_access_token_heals_a_link(heron: Heron, clock: MovableClock) -> None:
    heron.create("login-required-1")
    clock.forward(3)

    heron("PUT", "/api/integration_links/login-required-1", {"end_user": {"access_token": "access-new"}})
    clock.forward(3)

    link = heron.links_of("cust-1")[0]
    assert (link["status"], link["status_message"]) == ("active", None)


def test_deleting_switches_all_links_of_a_customer_off(heron: Heron) -> None:
    heron.create("item-1")
    heron.create("item-2")

    answer = heron("DELETE", f"{heron.links}?end_user_id_or_heron_id=cust-1")

    assert answer.status_code == 204
    assert {link["status"] for link in heron.links_of("cust-1")} == {"sync_disabled"}


def test_customers_are_listed_in_pages_with_their_sources(heron: Heron, clock: MovableClock) -> None:
    for number in range(3):
        heron.create(f"item-{number}", end_user_id=f"cust-{number}")
        clock.forward(1)

    page = heron("GET", "/api/end_users?limit=2&include_data_sources=true").json()

    assert [user["end_user_id"] for user in page["end_users"]] == ["cust-2", "cust-1"]
    assert page["end_users"][0]["data_sources"] == [{"type": "integration_link", "status": "pending"}]
    assert (page["_meta"]["total"], page["_meta"]["pages"], page["_meta"]["prev_url"]) == (3, 2, None)
    assert len(heron.session.get(page["_meta"]["next_url"], timeout=60).json()["end_users"]) == 1


def test_a_data_source_leads_back_to_the_item(heron: Heron, clock: MovableClock) -> None:
    created = heron.create("item-1").json()["link"]
    clock.forward(3)

    source = heron("GET", "/api/end_users/cust-1/data_sources").json()[0]

    assert source["heron_id"] == created["data_source_heron_id"]
    assert source["metadata"]["integration_item_id"] == "item-1"
    assert source["data_source_accounts"][0]["max_date"] == "2026-09-21"


def test_a_customer_is_written_and_checked(heron: Heron) -> None:
    made = heron("POST", "/api/end_users", {"end_user": {"end_user_id": "cust-1", "name": "Harbour Tools"}})
    changed = heron("PUT", "/api/end_users", {"end_user": {"end_user_id": "cust-1", "status": "ready"}})
    wrong = heron("PUT", "/api/end_users", {"end_user": {"end_user_id": "cust-1", "status": "happy"}})

    assert (made.status_code, made.json()["end_user"]["name"]) == (201, "Harbour Tools")
    assert changed.json()["end_user"]["status"] == "ready"
    assert wrong.json()["description"] == {"json": {"end_user": {"status": ["Invalid value."]}}}
