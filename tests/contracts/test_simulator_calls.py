"""Every call the simulator answers, and every refusal of a wrong one, judged by the documents."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import requests

from linkadmin.simulator import belvo, heron
from linkadmin.simulator.belvo import SECRET_ID, SECRET_PASSWORD
from linkadmin.simulator.heron import API_KEY
from linkadmin.simulator.wire import Route
from tests.house import HERON_INTEGRATION

from .relay import SECONDS, Relay

pytestmark = pytest.mark.contracts

NOBODY = "00000000-0000-4000-8000-000000000000"
LINKS = f"/api/integrations/{HERON_INTEGRATION}/links"
Row = tuple[str, str, Any, int]

# method, path, body, status; {link} is a link's id, made by the test. In order: the later ones live on the earlier.
BELVO_CALLS: list[Row] = [
    ("GET", "/api/", None, 200),
    ("GET", "/api/links/?page_size=1&page=1", None, 200),
    ("POST", "/api/links/", {"institution": "erebor_mx_retail", "username": "row1", "password": "x"}, 201),
    (
        "POST",
        "/api/links/",
        {"institution": "erebor_mx_retail", "username": "row2", "password": "x", "external_id": "a b", "stale_in": "9d"}
        | {"access_mode": "single", "credentials_storage": "nostore", "fetch_resources": ["ACCOUNTS"]},
        201,
    ),
    ("GET", "/api/links/{link}/", None, 200),
    ("PUT", "/api/links/{link}/", {"password": "pass_valid"}, 200),
    ("PATCH", "/api/links/{link}/", {"access_mode": "single", "stale_in": "30d"}, 200),
    ("POST", "/api/links/{link}/refresh/", {}, 202),
    ("POST", "/api/links/{link}/refresh/", {}, 409),
    ("GET", "/api/institutions/?page_size=1000", None, 200),
    ("GET", "/api/institutions/1016/", None, 200),
    ("POST", "/api/token/", {"id": SECRET_ID, "password": SECRET_PASSWORD, "scopes": "read_institutions"}, 200),
    # wrong ones
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
    ("POST", "/api/token/", {"id": SECRET_ID}, 400),
    ("POST", "/api/token/", {"id": SECRET_ID, "password": "another", "scopes": "read_institutions"}, 401),
    ("DELETE", "/api/links/{link}/", None, 204),
    ("DELETE", "/api/links/{link}/", None, 404),
]
HERON_CALLS: list[Row] = [
    ("GET", "/api/hello_world", None, 200),
    ("GET", "/api/hello_world/authenticated", None, 200),
    ("GET", "/api/integrations", None, 200),
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
    # wrong ones
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
    ("DELETE", f"{LINKS}?end_user_id_or_heron_id=row-1", None, 204),
    ("DELETE", f"{LINKS}?end_user_id_or_heron_id=nobody", None, 404),
]


@pytest.fixture
def caller() -> Iterator[requests.Session]:
    """Someone with good keys for both providers."""
    with requests.Session() as session:
        session.auth = (SECRET_ID, SECRET_PASSWORD)
        session.headers["x-api-key"] = API_KEY
        yield session


def make(caller: requests.Session, judge: Relay, rows: Sequence[Row], link: str = "") -> list[Row]:
    """Make each call; return its row with the status that came back."""
    made = []
    for method, path, body, _ in rows:
        answer = caller.request(method, judge.url + path.replace("{link}", link), json=body, timeout=SECONDS)
        made.append((method, path, body, answer.status_code))
    return made


def register(caller: requests.Session, judge: Relay, username: str) -> str:
    """Register a link; return its id."""
    body = {"institution": "erebor_mx_retail", "username": username, "password": "x"}
    return str(caller.post(f"{judge.url}/api/links/", json=body, timeout=SECONDS).json()["id"])


def untried(routes: Sequence[Route], rows: Sequence[Row]) -> set[str]:
    """Return the calls of the simulator that no row makes."""
    tried = {(method, path.partition("?")[0].replace("{link}", NOBODY)) for method, path, _, _ in rows}
    return {
        f"{method} {route.pattern}"
        for route in routes
        for method in route.methods
        if not any(made == method and re.fullmatch(route.pattern, path) for made, path in tried)
    }


def test_every_call_of_the_simulator_is_tried_here() -> None:
    assert untried(belvo.ROUTES, BELVO_CALLS) | untried(heron.ROUTES, HERON_CALLS) == set()


def test_every_belvo_call_is_answered_as_documented(caller: requests.Session, belvo_judge: Relay) -> None:
    link = register(caller, belvo_judge, "rows")

    assert make(caller, belvo_judge, BELVO_CALLS, link) == BELVO_CALLS
    assert belvo_judge.violations == []


def test_every_heron_call_is_answered_as_documented(caller: requests.Session, heron_judge: Relay) -> None:
    assert make(caller, heron_judge, HERON_CALLS) == HERON_CALLS
    assert heron_judge.violations == []


def test_a_removal_in_the_background_is_answered_as_documented(caller: requests.Session, belvo_judge: Relay) -> None:
    link = register(caller, belvo_judge, "removed")
    belvo_judge.headers = {"X-Belvo-Request-Mode": "async"}

    assert make(caller, belvo_judge, [("DELETE", "/api/links/{link}/", None, 0)], link)[0][-1] == 202
    assert belvo_judge.violations == []


@pytest.mark.parametrize("path", ["/api/links/", "/api/institutions/", "/api/"])
def test_wrong_keys_are_refused_as_documented_by_belvo(caller: requests.Session, belvo_judge: Relay, path: str) -> None:
    caller.auth = (SECRET_ID, "another")

    assert make(caller, belvo_judge, [("GET", path, None, 0)])[0][-1] == 401
    assert belvo_judge.violations == []


@pytest.mark.parametrize("path", ["/api/integrations", "/api/end_users", "/api/hello_world/authenticated"])
def test_wrong_keys_are_refused_as_documented_by_heron(caller: requests.Session, heron_judge: Relay, path: str) -> None:
    caller.headers["x-api-key"] = "another"

    assert make(caller, heron_judge, [("GET", path, None, 0)])[0][-1] == 401
    assert heron_judge.violations == []
