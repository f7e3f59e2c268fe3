"""All simulator calls, and all their errors for invalid requests, follow the documents."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import requests

from linkadmin.simulator.belvo import api as belvo
from linkadmin.simulator.belvo.api import SECRET_ID, SECRET_PASSWORD
from linkadmin.simulator.faults import BELVO_FAULTS, HERON_FAULTS
from linkadmin.simulator.heron import api as heron
from linkadmin.simulator.heron.api import API_KEY
from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from linkadmin.simulator.plaid import api as plaid
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.wire import Route
from tests.environment import HERON_INTEGRATION, Clock

from .relay import SECONDS, Relay

pytestmark = pytest.mark.contracts

NOBODY = "00000000-0000-4000-8000-000000000000"
CONSENT = next(route.pattern for route in belvo.ROUTES if route.pattern.startswith("/api/consents/("))
LINKS = f"/api/integrations/{HERON_INTEGRATION}/links"
REPORTS = "/api/integrations/itg_sandbox_assets/links"
OF_ROW = "?end_user_id_or_heron_id="
INTEGRATION = {"name": "Plaid production", "resource": "transaction", "type": "plaid"}
WEBHOOK = {"topic": "integration_link.erroring", "url": "https://links.example.test/hooks/heron/"}
Row = tuple[str, str, Any, int]

UNJUDGED = {
    "GET /api/consents/": "belvo.yaml has no consents; tests/simulator holds the answer to the documentation's page",
    f"GET {CONSENT}": "as above",
}

EREBOR = {"institution": "erebor_mx_retail", "username": "row3", "password": "x"}

TOKEN = {"id": SECRET_ID, "password": SECRET_PASSWORD, "scopes": "read_institutions"}
# method, path, body, status. {link} etc. are IDs created by the test. In order: later rows depend on earlier ones.
BELVO_CALLS: list[Row] = [
    ("GET", "/api/", None, 200),
    ("GET", "/api/links/?page_size=1&page=1", None, 200),
    ("GET", "/api/links/?fields=id,institution,status", None, 200),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": "row1", "password": "x"}, 201),
    (
        "POST",
        "/api/links/",
        {"institution": "erebor_mx_retail", "username": "row2", "password": "x", "external_id": "a b", "stale_in": "9d"}
        | {"access_mode": "single", "credentials_storage": "nostore", "fetch_resources": ["ACCOUNTS"]},
        201,
    ),
    ("GET", "/api/links/{link}/", None, 200),
    ("GET", "/api/links/{link}/?omit=created_by,stale_in", None, 200),
    ("PUT", "/api/links/{link}/", {"password": "pass_valid"}, 200),
    ("PATCH", "/api/links/{link}/", {"access_mode": "single", "stale_in": "30d"}, 200),
    ("POST", "/api/links/{link}/refresh/", {}, 202),
    ("POST", "/api/links/{link}/refresh/", {}, 409),
    ("GET", "/api/institutions/?page_size=1000", None, 200),
    ("GET", "/api/institutions/1016/", None, 200),
    ("POST", "/api/token/", TOKEN, 200),
    ("POST", "/api/token/", TOKEN | {"widget": {"callback_urls": {"exit": "acme://exit"}}}, 200),
    # invalid ones
    ("POST", "/api/token/", TOKEN | {"link_id": NOBODY}, 400),
    ("POST", "/api/token/", TOKEN | {"widget": {"callback_urls": {"exit": "nowhere"}}}, 400),
    ("POST", "/api/token/", TOKEN | {"widget": "none"}, 400),
    ("GET", "/api/institutions/77/", None, 404),
    ("GET", f"/api/links/{NOBODY}/", None, 404),
    ("PUT", f"/api/links/{NOBODY}/", {"password": "x"}, 404),
    ("PUT", "/api/links/{link}/", {}, 400),
    ("PUT", "/api/links/{link}/", {"certificate": "Y2VydA=="}, 400),
    ("PATCH", "/api/links/{link}/", {"access_mode": "monthly"}, 400),
    ("PATCH", "/api/links/{link}/", {"fetch_resources": ["NOTHING"]}, 400),
    ("POST", "/api/links/{link}/refresh/", {"fetch_resources": ["NOTHING"]}, 400),
    ("PATCH", "/api/links/", {}, 400),
    ("PATCH", "/api/links/", {"session": "0" * 32, "link": NOBODY, "token": "1"}, 400),
    ("POST", "/api/links/", {}, 400),
    ("POST", "/api/links/", ["a list"], 400),
    ("POST", "/api/links/", {"institution": None, "username": ""}, 400),
    ("POST", "/api/links/", {"institution": "narnia_mx_retail", "username": "row", "password": "x"}, 400),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": "row"}, 400),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": "row1", "password": "x"}, 400),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": 5, "fetch_resources": "text"}, 400),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": "row", "access_mode": "monthly"}, 400),
    ("POST", "/api/links/", {"institution": "mareazul_mx_retail", "username": "row", "password": "x"}, 400),
    ("POST", "/api/links/", EREBOR | {"access_mode": "single", "credentials_storage": "nostore"}, 400),
    ("POST", "/api/links/", EREBOR | {"credentials_storage": "30d"}, 400),
    ("POST", "/api/links/", EREBOR | {"fetch_resources": ["INVOICES"]}, 400),
    ("POST", "/api/links/", EREBOR | {"fetch_resources": "ACCOUNTS"}, 400),
    ("POST", "/api/token/", {"id": SECRET_ID}, 400),
    ("POST", "/api/token/", {"id": SECRET_ID, "password": "another", "scopes": "read_institutions"}, 401),
    ("DELETE", "/api/links/{link}/", None, 204),
    ("DELETE", "/api/links/{link}/", None, 404),
]
HERON_CALLS: list[Row] = [
    ("GET", "/api/hello_world", None, 200),
    ("GET", "/api/hello_world/authenticated", None, 200),
    ("GET", "/api/integrations", None, 200),
    ("POST", "/api/integrations", {"integration": INTEGRATION}, 201),
    ("PUT", "/api/integrations/{integration}", {"integration": INTEGRATION | {"client_secret": "x"}}, 200),
    ("POST", LINKS, {"access_token": "a", "end_user_id": "row-1", "item_id": "row-item"}, 201),
    ("GET", f"{LINKS}?end_user_id_or_heron_id=row-1", None, 200),
    ("POST", LINKS + "/row-item/refresh", None, 200),
    ("PUT", "/api/integration_links/row-item", {"end_user": {"access_token": "new"}}, 200),
    (
        "POST",
        "/api/end_users",
        {"end_user": {"end_user_id": "row-2", "name": "Harbour Tools", "meta": {"a": "b"}}},
        201,
    ),
    ("PUT", "/api/end_users", {"end_user": {"end_user_id": "row-2", "status": "ready"}}, 200),
    ("GET", "/api/end_users?include_data_sources=true&limit=1", None, 200),
    ("GET", "/api/end_users/row-2", None, 200),
    ("GET", "/api/end_users/row-1/integration_links", None, 200),
    ("GET", "/api/end_users/row-1/data_sources", None, 200),
    ("GET", "/api/end_users/row-1/processing_status", None, 200),
    ("GET", "/api/end_users/row-2/processing_status", None, 200),
    ("PUT", "/api/data_sources/{source}", {"is_enabled": False}, 200),
    ("PUT", REPORTS + OF_ROW + "row-good", None, 200),
    ("PUT", REPORTS + OF_ROW + "row-bad", None, 422),
    ("GET", "/api/webhooks", None, 200),
    ("GET", "/api/webhooks/topics", None, 200),
    ("POST", "/api/webhooks", WEBHOOK | {"headers": {"X-Token": "x"}}, 201),
    ("PUT", "/api/webhooks/{webhook}", {"is_enabled": False}, 200),
    ("DELETE", "/api/webhooks/{webhook}", None, 204),
    # invalid ones
    ("POST", LINKS, {}, 422),
    ("POST", LINKS, {"access_token": 1, "end_user_id": None, "item_id": ""}, 422),
    ("POST", LINKS, ["a list"], 422),
    ("POST", "/api/integrations/itg_none/links", {"access_token": "a", "end_user_id": "row-1", "item_id": "x"}, 404),
    ("GET", LINKS, None, 422),
    ("GET", f"{LINKS}?end_user_id_or_heron_id=nobody", None, 404),
    ("POST", LINKS + "/none/refresh", None, 404),
    ("PUT", "/api/integration_links/none", {"end_user": {"access_token": "new"}}, 404),
    ("PUT", "/api/integration_links/row-item", {}, 422),
    ("GET", "/api/end_users?limit=0", None, 422),
    ("GET", "/api/end_users?order_by=size", None, 422),
    ("GET", "/api/end_users/nobody", None, 404),
    ("GET", "/api/end_users/nobody/data_sources", None, 404),
    ("PUT", "/api/end_users", {"end_user": {"end_user_id": "nobody"}}, 404),
    ("GET", "/api/end_users/nobody/processing_status", None, 404),
    ("POST", "/api/end_users/nobody/delete", None, 404),
    ("DELETE", "/api/end_users/nobody", None, 404),
    ("POST", "/api/integrations", {}, 422),
    ("POST", "/api/integrations", {"integration": {"resource": "weather", "client_id": 7}}, 422),
    ("PUT", "/api/integrations/none", {"integration": INTEGRATION}, 404),
    ("PUT", "/api/integrations/{integration}", {"integration": {"name": ""}}, 422),
    ("PUT", "/api/integrations/itg_none/links", None, 404),
    ("PUT", REPORTS + OF_ROW + "row-1", None, 404),
    ("PUT", REPORTS + OF_ROW + "nobody", None, 404),
    ("PUT", "/api/data_sources/none", {"is_enabled": True}, 404),
    ("POST", "/api/webhooks", {"url": "nowhere"}, 422),
    ("PUT", "/api/webhooks/{webhook}", {"is_enabled": True}, 404),
    ("DELETE", "/api/webhooks/{webhook}", None, 404),
    ("DELETE", f"{LINKS}?end_user_id_or_heron_id=row-1", None, 204),
    ("DELETE", f"{LINKS}?end_user_id_or_heron_id=nobody", None, 404),
    ("POST", "/api/end_users/row-1/delete", None, 202),
    ("DELETE", "/api/end_users/row-2", None, 204),
]

PLAID_KEYS = {"client_id": plaid.CLIENT_ID, "secret": plaid.SECRET}
ROW_TOKEN = PLAID_KEYS | {"access_token": f"{plaid.ACCESS_TOKEN}row-plaid"}
UPDATE = ROW_TOKEN | {
    "client_name": "Linkadmin", "language": "en", "country_codes": ["US"], "user": {"client_user_id": "row"},
    "hosted_link": {"url_lifetime_seconds": 60},
}  # fmt: skip
PLAID_CALLS: list[Row] = [
    ("POST", "/link/token/create", UPDATE, 200),
    ("POST", "/link/token/get", PLAID_KEYS | {"link_token": "{token}"}, 200),
    ("POST", "/item/get", ROW_TOKEN, 200),
    ("POST", "/item/get", PLAID_KEYS, 400),
    ("POST", "/webhook_verification_key/get", PLAID_KEYS | {"key_id": "{key}"}, 200),
    ("POST", "/sandbox/item/fire_webhook", ROW_TOKEN | {"webhook_code": "LOGIN_REPAIRED"}, 200),
    # invalid ones
    ("POST", "/link/token/create", UPDATE | {"access_token": "another"}, 400),
    ("POST", "/link/token/create", UPDATE | {"language": ""}, 400),
    ("POST", "/link/token/create", UPDATE | {"hosted_link": {"url_lifetime_seconds": 0}}, 400),
    ("POST", "/link/token/create", ROW_TOKEN, 400),
    ("POST", "/link/token/create", UPDATE | {"secret": "another"}, 400),
    ("POST", "/link/token/get", PLAID_KEYS | {"link_token": "another"}, 400),
    ("POST", "/webhook_verification_key/get", PLAID_KEYS | {"key_id": NOBODY}, 400),
    ("POST", "/sandbox/item/fire_webhook", ROW_TOKEN | {"webhook_code": "NEWS"}, 400),
]


@pytest.fixture
def caller() -> Iterator[requests.Session]:
    """A client with valid keys for Belvo and Heron."""
    with requests.Session() as session:
        session.auth = (SECRET_ID, SECRET_PASSWORD)
        session.headers["x-api-key"] = API_KEY
        yield session


def make(caller: requests.Session, judge: Relay, rows: Sequence[Row], **ids: str) -> list[Row]:
    """Make each call; return its row with the actual status."""
    made = []
    for method, path, body, _ in rows:
        answer = caller.request(method, judge.url + path.format(**ids), json=body, timeout=SECONDS)
        made.append((method, path, body, answer.status_code))
    return made


def register(caller: requests.Session, judge: Relay, username: str) -> str:
    """Create a link; return its ID."""
    body = {"institution": "erebor_mx_retail", "username": username, "password": "x"}
    return str(caller.post(f"{judge.url}/api/links/", json=body, timeout=SECONDS).json()["id"])


def prepare_heron(caller: requests.Session, judge: Relay, clock: Clock) -> dict[str, str]:
    """Create what Heron's rows need; return its IDs by the names in the rows."""

    def post(path: str, body: Any) -> Any:
        return caller.post(judge.url + path, json=body, timeout=SECONDS).json()

    for path, item, end_user_id in (
        (LINKS, "row-ready", "row-1"),
        (REPORTS, "row-report", "row-good"),
        (REPORTS, "login-required-row", "row-bad"),
    ):
        link = post(path, {"access_token": "a", "end_user_id": end_user_id, "item_id": item})["link"]
        source = link["data_source_heron_id"]
    clock.forward(STATUS_CHANGE_AFTER)
    return {
        "source": source,
        "integration": post("/api/integrations", {"integration": INTEGRATION})["integration"]["heron_id"],
        "webhook": post("/api/webhooks", WEBHOOK)["webhook"]["heron_id"],
    }


def prepare_plaid(caller: requests.Session, judge: Relay, simulator: Simulator, clock: Clock) -> list[Row]:
    """Create what Plaid's rows need; return them with its token and key."""
    link = {"access_token": "a", "end_user_id": "row-plaid", "item_id": "row-plaid"}
    caller.post(simulator.url + LINKS, json=link, timeout=SECONDS)
    clock.forward(STATUS_CHANGE_AFTER)
    token = caller.post(f"{judge.url}/link/token/create", json=UPDATE, timeout=SECONDS).json()["link_token"]
    made = {"{token}": token, "{key}": simulator.store.plaid_key.kid}
    return [
        (method, path, {name: made.get(str(value), value) for name, value in body.items()}, status)
        for method, path, body, status in PLAID_CALLS
    ]


def untried(routes: Sequence[Route], rows: Sequence[Row]) -> set[str]:
    """The simulator's calls that no row makes."""
    tried = {(method, path.partition("?")[0].replace("{link}", NOBODY)) for method, path, _, _ in rows}
    return {
        f"{method} {route.pattern}"
        for route in routes
        for method in route.methods
        if not any(made == method and re.fullmatch(route.pattern, path) for made, path in tried)
    }


def test_every_call_of_the_simulator_is_tried_here() -> None:
    assert untried(belvo.ROUTES, BELVO_CALLS) | untried(heron.ROUTES, HERON_CALLS) == UNJUDGED.keys()
    assert untried(plaid.ROUTES, PLAID_CALLS) == set()


def test_every_belvo_call_is_answered_as_documented(caller: requests.Session, belvo_judge: Relay) -> None:
    link = register(caller, belvo_judge, "rows")

    assert make(caller, belvo_judge, BELVO_CALLS, link=link) == BELVO_CALLS
    assert belvo_judge.violations == []


def test_every_heron_call_is_answered_as_documented(caller: requests.Session, heron_judge: Relay, clock: Clock) -> None:
    ids = prepare_heron(caller, heron_judge, clock)

    assert make(caller, heron_judge, HERON_CALLS, **ids) == HERON_CALLS
    assert heron_judge.violations == []


def test_every_plaid_call_is_answered_as_documented(
    caller: requests.Session, plaid_judge: Relay, simulator: Simulator, clock: Clock
) -> None:
    caller.auth = None
    rows = prepare_plaid(caller, plaid_judge, simulator, clock)

    assert make(caller, plaid_judge, rows) == rows
    assert plaid_judge.violations == []


def test_a_removal_in_the_background_is_answered_as_documented(caller: requests.Session, belvo_judge: Relay) -> None:
    link = register(caller, belvo_judge, "removed")
    belvo_judge.headers = {"X-Belvo-Request-Mode": "async"}

    assert make(caller, belvo_judge, [("DELETE", "/api/links/{link}/", None, 0)], link=link)[0][-1] == 202
    assert belvo_judge.violations == []


@pytest.mark.parametrize("path", ["/api/links/", "/api/institutions/", "/api/"])
def test_wrong_keys_are_rejected_as_documented_by_belvo(
    caller: requests.Session, belvo_judge: Relay, path: str
) -> None:
    caller.auth = (SECRET_ID, "another")

    assert make(caller, belvo_judge, [("GET", path, None, 0)])[0][-1] == 401
    assert belvo_judge.violations == []


@pytest.mark.parametrize(
    "path", ["/api/integrations", "/api/end_users", "/api/hello_world/authenticated", "/api/webhooks"]
)
def test_wrong_keys_are_rejected_as_documented_by_heron(
    caller: requests.Session, heron_judge: Relay, path: str
) -> None:
    caller.headers["x-api-key"] = "another"

    assert make(caller, heron_judge, [("GET", path, None, 0)])[0][-1] == 401
    assert heron_judge.violations == []


# Faults that aren't documented for their calls, with the calls they are documented for.
NOT_DOCUMENTED = {
    "nested_error": "the prose of Belvo's errors only",
    "method_not_allowed": "a 405 is in Belvo's list of errors, at no call",
    "heron_400": "the prose of Heron's errors only",
    "heron_403": "the prose of Heron's errors only",
    "heron_409": "the prose of Heron's errors only",
    "heron_413": "the prose of Heron's errors only",
    "heron_message": "the prose of Heron's errors only",
}
REFRESH: Row = ("POST", f"/api/links/{NOBODY}/refresh/", {}, 0)
LISTED_FOR: dict[str, Row] = {"link_refreshed": REFRESH, "heron_422_partial": ("PUT", REPORTS, None, 0)}


@pytest.mark.parametrize("name", [fault.name for fault in BELVO_FAULTS if fault.name not in NOT_DOCUMENTED])
def test_each_error_of_belvo_is_a_documented_one(
    caller: requests.Session, belvo_judge: Relay, simulator: Simulator, name: str
) -> None:
    row = LISTED_FOR.get(name, ("PUT", f"/api/links/{NOBODY}/", {"password": "x"}, 0))
    simulator.fail(row[0], row[1], name)

    assert make(caller, belvo_judge, [row])[0][-1] == simulator.calls[-1].status
    assert belvo_judge.violations == []


@pytest.mark.parametrize("name", [fault.name for fault in HERON_FAULTS if fault.name not in NOT_DOCUMENTED])
def test_each_error_of_heron_is_a_documented_one(
    caller: requests.Session, heron_judge: Relay, simulator: Simulator, name: str
) -> None:
    row = LISTED_FOR.get(name, ("POST", LINKS, {"access_token": "a", "end_user_id": "row", "item_id": "spoiled"}, 0))
    simulator.fail(row[0], row[1], name)

    assert make(caller, heron_judge, [row])[0][-1] == simulator.calls[-1].status
    assert heron_judge.violations == []
