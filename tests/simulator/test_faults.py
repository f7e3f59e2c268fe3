"""Faults on request: only the next matching requests get the chosen response."""

import json
from typing import Any

import pytest
import requests

from linkadmin.simulator.faults import ANSWERS, BELVO_FAULTS, FOLLOWED, HERON_FAULTS, OVERSIZED
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, Heron

BELVO_CODES = [
    "session_expired", "session_expired_ob", "unavailable_data", "unsupported_operation", "required", "blank", "null",
    "does_not_exist", "invalid", "invalid_choice", "duplicated", "invalid_credentials_storage",
    "invalid_fetch_resources", "invalid_access_mode_switch", "not_a_list", "parse_error", "not_found",
    "method_not_allowed", "link_refreshed", "authentication_failed", "access_to_production_denied",
    "permission_denied", "quota_limit_reached", "service_unavailable", "invalid_link", "unconfirmed_link",
    "validation_error",
]  # fmt: skip
HERON_STATUSES = (400, 401, 403, 404, 409, 413, 422, 429, 500)


def order(simulator: Simulator, **fault: Any) -> requests.Response:
    return requests.post(f"{simulator.url}/faults.json", json=fault, timeout=60)


def test_a_fault_meets_the_next_calls_that_fit(simulator: Simulator, belvo: Belvo) -> None:
    answer = order(simulator, method="GET", path="/api/links/", times=2, answer="html_403")

    statuses = [belvo("GET", path).status_code for path in ("/api/institutions/", *["/api/links/?page=1"] * 3)]

    assert answer.status_code == 201
    assert statuses == [200, 403, 403, 200]
    assert belvo("POST", "/api/links/", {}).status_code == 400


def test_a_fault_meets_a_pattern_of_paths(simulator: Simulator, belvo: Belvo) -> None:
    link = belvo.new_link()
    simulator.fail("POST", "/api/links/*/refresh/", "service_unavailable")

    assert belvo("GET", f"/api/links/{link}/").status_code == 200
    assert belvo("POST", f"/api/links/{link}/refresh/").status_code == 500
    assert belvo("POST", f"/api/links/{link}/refresh/").status_code == 202


def test_faults_are_listed_and_forgotten(simulator: Simulator, belvo: Belvo) -> None:
    simulator.fail("GET", "/api/links/", "not_found", times=2)
    belvo("GET", "/api/links/")
    waiting = requests.get(f"{simulator.url}/faults.json", timeout=60).json()

    forgotten = requests.delete(f"{simulator.url}/faults.json", timeout=60)

    assert waiting == {"faults": [{"method": "GET", "path": "/api/links/", "times": 1, "answer": "not_found"}]}
    assert forgotten.status_code == 204
    assert belvo("GET", "/api/links/").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer": "no_such_answer"},
        {"answer": "cut", "times": 0},
        {"answer": "cut", "times": "often"},
        {"answer": "cut", "path": 7},
        {"answer": "cut", "when": "now"},
        {"path": "/api/links/"},
    ],
)
def test_an_invalid_fault_is_rejected(simulator: Simulator, wrong: dict[str, Any]) -> None:
    answer = order(simulator, **wrong)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(f"{simulator.url}/faults.json", timeout=60).json() == {"faults": []}


def test_no_page_of_another_site_can_order_a_fault(simulator: Simulator) -> None:
    text = json.dumps({"answer": "cut"})

    answer = requests.post(
        f"{simulator.url}/faults.json", data=text, headers={"Content-Type": "text/plain"}, timeout=60
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("code", BELVO_CODES)
def test_each_error_of_belvo_can_be_ordered_by_its_code(simulator: Simulator, belvo: Belvo, code: str) -> None:
    simulator.fail("GET", "/api/links/", code)

    answer = belvo("GET", "/api/links/")

    assert answer.status_code >= 400
    assert answer.json()[0]["code"] == code
    assert answer.json()[0]["message"]


@pytest.mark.parametrize("fault", BELVO_FAULTS, ids=lambda fault: fault.name)
def test_each_fault_of_belvo_is_an_error(simulator: Simulator, belvo: Belvo, fault: Any) -> None:
    simulator.fail("*", "/api/", fault.name)

    assert belvo("GET", "/api/links/").status_code >= 400


@pytest.mark.parametrize("status", HERON_STATUSES)
def test_each_status_of_heron_can_be_ordered(simulator: Simulator, heron: Heron, status: int) -> None:
    simulator.fail("GET", "/api/end_users", f"heron_{status}")

    answer = heron("GET", "/api/end_users")

    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert answer.headers["x-ratelimit-limit"] == "1000"


@pytest.mark.parametrize("fault", HERON_FAULTS, ids=lambda fault: fault.name)
def test_each_fault_of_heron_is_an_error(simulator: Simulator, heron: Heron, fault: Any) -> None:
    simulator.fail("*", "/api/", fault.name)

    assert heron("GET", "/api/end_users").status_code >= 400


@pytest.mark.parametrize(
    ("name", "created"), [("lost_before", 0), ("lost_after", 1), ("cut", 1), ("unreadable", 1), ("oversized", 0)]
)
def test_an_answer_can_be_lost_with_or_without_the_change(
    simulator: Simulator, heron: Heron, name: str, created: int
) -> None:
    simulator.fail("POST", heron.links, name)

    try:
        good = "link" in heron.create("item-1").json()
    except requests.RequestException:
        good = False

    assert not good
    assert len(simulator.store.heron_links) == created


def test_an_error_can_be_answered_after_the_change(simulator: Simulator, belvo: Belvo) -> None:
    simulator.fail("POST", "/api/links/", "error_after")

    assert belvo.register("maria").json()[0]["code"] == "unexpected_error"
    assert belvo("GET", "/api/links/").json()["count"] == 1


def test_an_answer_can_drip(simulator: Simulator, heron: Heron) -> None:
    simulator.fail("GET", "/api/hello_world", "dripped")

    with requests.get(f"{simulator.url}/api/hello_world", stream=True, timeout=60) as answer:
        first = answer.raw.read(1)

    assert (answer.headers["Content-Length"], first) == ("18", b"{")


def test_stopping_ends_an_answer_that_drips() -> None:
    with Simulator() as simulator:
        simulator.fail("GET", "/api/hello_world", "dripped")
        answer = requests.get(f"{simulator.url}/api/hello_world", stream=True, timeout=60)
        answer.raw.read(1)

    with answer, pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.json()


def test_an_answer_can_be_far_too_long_packed_or_not(simulator: Simulator, belvo: Belvo) -> None:
    simulator.fail("GET", "/api/links/", "oversized")
    simulator.fail("GET", "/api/links/", "gzip_bomb")

    plain, packed = belvo("GET", "/api/links/"), belvo("GET", "/api/links/")

    assert len(plain.content) > OVERSIZED
    assert int(packed.headers["Content-Length"]) < 100_000
    assert len(packed.content) > 8 * OVERSIZED


@pytest.mark.parametrize(("name", "status"), [("redirect", 302), ("redirect_307", 307)])
def test_a_client_that_follows_a_redirect_is_seen(simulator: Simulator, belvo: Belvo, name: str, status: int) -> None:
    simulator.fail("GET", "/api/links/", name)

    answer = belvo("GET", "/api/links/")

    assert [each.status_code for each in answer.history] == [status]
    assert simulator.calls[-1].path == FOLLOWED


@pytest.mark.parametrize("name", ["deep", "bad_utf8", "empty_200", "html_200"])
def test_an_answer_can_be_no_json_that_anyone_reads(simulator: Simulator, belvo: Belvo, name: str) -> None:
    simulator.fail("GET", "/api/links/", name)

    answer = belvo("GET", "/api/links/")

    assert answer.status_code == 200
    with pytest.raises((ValueError, RecursionError)):
        json.loads(answer.content)


def test_json_can_be_odd(simulator: Simulator, belvo: Belvo) -> None:
    for name in ("nan", "duplicate_keys", "huge_number", "foreign_next"):
        simulator.fail("GET", "/api/links/", name)

    texts = [belvo("GET", "/api/links/").text for _ in range(4)]

    assert "NaN" in texts[0]
    assert texts[1].count('"links"') == 2
    assert len(texts[2]) > 10_000
    assert json.loads(texts[3])["next"].startswith("http://elsewhere.test/")


def test_the_first_page_lists_every_answer(simulator: Simulator) -> None:
    text = requests.get(simulator.url, timeout=60).text

    assert [name for name in ANSWERS if f"<code>{name}</code>" not in text] == []


def test_a_lever_takes_no_other_method(simulator: Simulator) -> None:
    answer = requests.put(f"{simulator.url}/faults.json", json={}, timeout=60)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST, DELETE")
