"""Heron: asset reports, integrations, webhooks, data sources, and background work on end users."""

from pathlib import Path
from typing import Any

import pytest
import requests

from linkadmin.simulator.server import Simulator
from linkadmin.simulator.store import PROCESSED_AFTER, REMOVED_AFTER

from .conftest import Heron, MovableClock

REPORTS = "/api/integrations/itg_sandbox_assets/links"
INTEGRATION = {"name": "Plaid production", "resource": "transaction", "type": "plaid"}
WEBHOOK = {"topic": "integration_link.erroring", "url": "https://links.example.test/hooks/heron/"}


def report(heron: Heron, clock: MovableClock, item_id: str, end_user_id: str = "cust-1") -> None:
    body = {"access_token": "access-sandbox", "end_user_id": end_user_id, "item_id": item_id}
    heron("POST", REPORTS, body)
    clock.forward(3)


def source_of(heron: Heron) -> dict[str, Any]:
    sources: list[dict[str, Any]] = heron("GET", "/api/end_users/cust-1/data_sources").json()
    return sources[0]


def test_asset_reports_of_active_links_are_refreshed(heron: Heron, clock: MovableClock) -> None:
    report(heron, clock, "item-1")
    report(heron, clock, "item-2", "cust-2")

    answer = heron("PUT", REPORTS)

    assert (answer.status_code, answer.json()) == (200, {"failed_links": [], "processed_links": 2})
    assert heron.links_of("cust-1")[0]["status"] == "syncing"


def test_asset_reports_in_trouble_fail_and_the_others_are_refreshed(heron: Heron, clock: MovableClock) -> None:
    report(heron, clock, "item-1")
    report(heron, clock, "login-required-1")
    report(heron, clock, "deleted-1")

    answer = heron("PUT", REPORTS)

    assert (answer.status_code, answer.json()) == (422, {"failed_links": ["login-required-1"], "processed_links": 1})
    assert {link["item_id"]: link["status"] for link in heron.links_of("cust-1")} == {
        "item-1": "syncing",
        "login-required-1": "erroring",
        "deleted-1": "deleted_in_plaid",
    }


def test_asset_reports_of_one_customer_alone_are_refreshed(heron: Heron, clock: MovableClock) -> None:
    report(heron, clock, "item-1")
    report(heron, clock, "item-2", "cust-2")

    answer = heron("PUT", f"{REPORTS}?end_user_id_or_heron_id=cust-2")

    assert answer.json()["processed_links"] == 1
    assert [heron.links_of(user)[0]["status"] for user in ("cust-1", "cust-2")] == ["active", "syncing"]


@pytest.mark.parametrize("path", [REPORTS, Heron.links, "/api/integrations/itg_other/links"])
def test_without_asset_reports_there_is_nothing_to_refresh(heron: Heron, clock: MovableClock, path: str) -> None:
    heron.create("item-1")
    clock.forward(3)

    assert heron("PUT", path).status_code == 404


def test_an_integration_is_created_changed_and_takes_links(heron: Heron) -> None:
    made = heron("POST", "/api/integrations", {"integration": {**INTEGRATION, "client_auth": {"a": "b"}}}).json()
    path = f"/api/integrations/{made['integration']['heron_id']}"

    heron("PUT", path, {"integration": {**INTEGRATION, "resource": "assets_report", "client_secret": "hush"}})
    link = heron("POST", f"{path}/links", {"access_token": "a", "end_user_id": "cust-1", "item_id": "item-1"}).json()[
        "link"
    ]

    listed = heron("GET", "/api/integrations").json()["integrations"][-1]
    assert listed == {**made["integration"], "resource": "assets_report", "client_secret": "hush"}
    assert "client_auth" not in listed
    assert link["type"] == "plaid_assets_report"


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"resource": "weather"}, "resource", "Invalid value."),
        ({"name": None}, "name", "Invalid value."),
        ({"base_url": "plaid.com"}, "base_url", "Invalid value."),
        ({"colour": "red"}, "colour", "Unknown field."),
    ],
)
def test_an_invalid_integration_returns_errors(heron: Heron, wrong: dict[str, Any], field: str, said: str) -> None:
    answer = heron("POST", "/api/integrations", {"integration": {**INTEGRATION, **wrong}})

    assert answer.status_code == 422
    assert answer.json()["description"] == {"json": {"integration": {field: [said]}}}


def test_a_webhook_is_created_changed_and_removed(heron: Heron) -> None:
    made = heron("POST", "/api/webhooks", {**WEBHOOK, "headers": {"X-Token": "hush"}})
    path = f"/api/webhooks/{made.json()['webhook']['heron_id']}"

    changed = heron("PUT", path, {"is_enabled": False}).json()["webhook"]
    listed = heron("GET", "/api/webhooks").json()["webhooks"]
    removed = heron("DELETE", path)

    assert (made.status_code, made.json()["webhook"]["is_enabled"]) == (201, True)
    assert listed == [changed]
    assert (changed["is_enabled"], changed["url"], changed["headers"]) == (False, WEBHOOK["url"], {"X-Token": "hush"})
    assert removed.status_code == 204
    assert heron("GET", "/api/webhooks").json() == {"webhooks": []}
    assert heron("DELETE", path).status_code == 404


def test_a_webhook_has_one_of_the_topics(heron: Heron) -> None:
    topics = heron("GET", "/api/webhooks/topics").json()["topics"]

    wrong = heron("POST", "/api/webhooks", {**WEBHOOK, "topic": "link.healed"})

    assert WEBHOOK["topic"] in topics
    assert (wrong.status_code, wrong.json()["description"]) == (422, {"json": {"topic": ["Invalid value."]}})


def test_the_headers_of_a_webhook_are_on_no_page(simulator: Simulator, heron: Heron) -> None:
    secret = {"client_id": "canary-1", "client_secret": "canary-2", "client_auth": {"a": "canary-3"}}
    heron("POST", "/api/webhooks", {**WEBHOOK, "headers": {"X-Token": "canary-4"}})
    heron("POST", "/api/integrations", {"integration": {**INTEGRATION, **secret}})
    heron.create("item-1", asset_report_token="canary-5")

    pages = [requests.get(simulator.url + path, timeout=60).text for path in ("/calls/", "/calls.json")]

    assert all("item-1" in page and "canary" not in page for page in pages)


def test_a_data_source_can_be_left_out_of_the_analytics(heron: Heron, clock: MovableClock) -> None:
    heron.create("item-1")
    clock.forward(3)

    answer = heron("PUT", f"/api/data_sources/{source_of(heron)['heron_id']}", {"is_enabled": False})

    assert (answer.status_code, answer.json()["is_enabled"]) == (200, False)
    assert source_of(heron) == answer.json()


def test_a_data_source_takes_yes_or_no_and_has_to_exist(heron: Heron) -> None:
    heron.create("item-1")
    path = f"/api/data_sources/{source_of(heron)['heron_id']}"

    assert heron("PUT", path, {"is_enabled": "no"}).status_code == 422
    assert heron("PUT", "/api/data_sources/dso_other", {"is_enabled": True}).status_code == 404


def test_an_end_user_is_removed_a_little_later(heron: Heron, clock: MovableClock) -> None:
    heron.create("item-1")
    heron_id = heron("GET", "/api/end_users/cust-1").json()["end_user"]["heron_id"]

    answer = heron("POST", "/api/end_users/cust-1/delete")
    clock.forward(REMOVED_AFTER - 1)
    before = heron("GET", "/api/end_users/cust-1").status_code
    clock.forward(1)

    assert (answer.status_code, answer.json()) == (202, {"heron_id": heron_id, "status": "pending"})
    assert (before, heron("GET", "/api/end_users/cust-1").status_code) == (200, 404)
    assert heron.create("item-1").status_code == 201


def test_the_deprecated_call_removes_an_end_user_at_once(heron: Heron) -> None:
    heron.create("item-1")

    assert heron("DELETE", "/api/end_users/cust-1").status_code == 204
    assert heron("GET", "/api/end_users/cust-1/integration_links").status_code == 404
    assert heron("DELETE", "/api/end_users/cust-1").status_code == 404


def test_an_end_user_that_is_ready_is_processed_a_little_later(heron: Heron, clock: MovableClock) -> None:
    heron.create("item-1")
    path = "/api/end_users/cust-1/processing_status"
    before = heron("GET", path).json()

    heron("PUT", "/api/end_users", {"end_user": {"end_user_id": "cust-1", "status": "ready"}})
    meanwhile = heron("GET", path).json()
    clock.forward(PROCESSED_AFTER)

    assert (before, meanwhile) == ({"status": "processed"}, {"status": "processing"})
    assert heron("GET", path).json() == {"status": "processed"}
    user = heron("GET", "/api/end_users/cust-1").json()["end_user"]
    assert (user["status"], user["last_processed_at"] is not None) == ("processed", True)


def test_integrations_and_webhooks_survive_a_restart_without_their_secrets(tmp_path: Path) -> None:
    path, listed = tmp_path / "state.json", []
    for run in range(2):
        with Simulator(state_file=path) as simulator:
            heron = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})
            with heron.session:
                if run == 0:
                    heron("POST", "/api/webhooks", {**WEBHOOK, "headers": {"X-Token": "canary"}})
                    heron("POST", "/api/integrations", {"integration": {**INTEGRATION, "client_secret": "canary"}})
                webhook = heron("GET", "/api/webhooks").json()["webhooks"][0]
                listed.append((webhook, heron("GET", "/api/integrations").json()["integrations"][-1]))

    assert "canary" not in path.read_text()
    assert listed[1] == ({**listed[0][0], "headers": None}, {**listed[0][1], "client_secret": None})


def test_an_end_user_that_is_being_removed_is_gone_after_a_restart(tmp_path: Path) -> None:
    for wanted in (200, 404):
        with Simulator(state_file=tmp_path / "state.json") as simulator:
            heron = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})
            with heron.session:
                if wanted == 200:
                    heron.create("item-1")
                    heron("POST", "/api/end_users/cust-1/delete")

                assert heron("GET", "/api/end_users/cust-1").status_code == wanted
