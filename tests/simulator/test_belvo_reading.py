"""Belvo: keys, lists, filters, paging, and the calls that don't contact a bank."""

import pytest
import requests

from linkadmin.simulator.belvo.institutions import INSTITUTIONS

from .conftest import Belvo, MovableClock

NOBODY = "30cb4806-6e00-48a4-91c9-ca55968576c8"


def test_valid_keys_are_accepted(belvo: Belvo) -> None:
    answer = belvo("GET", "/api/")

    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("keys", [None, ("sandbox-id", "wrong"), ("other", "sandbox-password")])
def test_other_keys_are_rejected(belvo: Belvo, keys: tuple[str, str] | None) -> None:
    answer = requests.get(f"{belvo.url}/api/links/", auth=keys, timeout=60)

    assert answer.status_code == 401
    assert answer.json()[0]["code"] == "authentication_failed"
    assert answer.json()[0]["message"] == "Invalid Secret Keys"


@pytest.mark.parametrize("path", ["/api/links", f"/api/links/{NOBODY}/", "/api/links/17/", "/api/nothing/"])
def test_an_unknown_path_or_link_is_not_found(belvo: Belvo, path: str) -> None:
    answer = belvo("GET", path)

    assert (answer.status_code, answer.json()[0]["code"]) == (404, "not_found")


def test_an_unsupported_method_is_rejected(belvo: Belvo) -> None:
    answer = belvo("DELETE", "/api/links/")

    assert (answer.status_code, answer.json()[0]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST, PATCH"


def test_a_body_that_isnt_json_is_rejected(belvo: Belvo) -> None:
    answer = belvo("POST", "/api/links/", data="{", headers={"Content-Type": "application/json"})

    assert answer.json()[0]["code"] == "parse_error"


def test_pages_lead_to_each_other(belvo: Belvo) -> None:
    for number in range(3):
        belvo.new_link(f"user{number}")

    first = belvo("GET", "/api/links/?page_size=2").json()
    second = requests.get(first["next"], auth=belvo.session.auth, timeout=60).json()

    assert first["next"].startswith(belvo.url)
    assert (first["count"], first["previous"], second["next"]) == (3, None, None)
    assert len({link["id"] for link in first["results"] + second["results"]}) == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("external_id=cust-0", [0]),
        ("external_id__in=cust-0,cust-2", [0, 2]),
        ("institution=gringotts_mx_retail", [2]),
        ("institution__in=gringotts_mx_retail,erebor_mx_retail", [0, 1, 2]),
        ("status=unconfirmed", [1]),
        ("status__in=unconfirmed,valid", [0, 1, 2]),
        ("access_mode=single", []),
        ("created_at__gte=2026-09-22", [1, 2]),
        ("created_at__lt=2026-09-22", [0]),
        ("created_at__range=2026-09-22,2026-09-23", [1]),
        ("status=valid&institution=erebor_mx_retail", [0]),
    ],
)
def test_links_are_filtered(belvo: Belvo, clock: MovableClock, query: str, found: list[int]) -> None:
    plan = [("erebor_mx_retail", "p"), ("erebor_mx_retail", "mfa_default"), ("gringotts_mx_retail", "p")]
    for number, (institution, password) in enumerate(plan):
        belvo.register(f"user{number}", password, institution=institution, external_id=f"cust-{number}")
        clock.forward(86_400)

    links = belvo("GET", f"/api/links/?{query}").json()["results"]

    assert sorted(link["external_id"] for link in links) == [f"cust-{number}" for number in found]


def test_links_are_found_by_their_ids(belvo: Belvo) -> None:
    ids = [belvo.new_link(f"user{number}") for number in range(3)]

    links = belvo("GET", f"/api/links/?id__in={ids[0]},{ids[2]}").json()["results"]

    assert {link["id"] for link in links} == {ids[0], ids[2]}


def test_institutions_are_listed_and_found_by_name_and_number(belvo: Belvo) -> None:
    everything = belvo("GET", "/api/institutions/").json()
    by_name = belvo("GET", "/api/institutions/?name=heimdall_mx_retail").json()["results"]
    by_number = belvo("GET", "/api/institutions/1014/").json()

    assert everything["count"] == len(INSTITUTIONS) >= 25
    assert by_name == [by_number]
    assert by_number["features"][0]["name"] == "token_required"


def test_institutions_are_filtered_by_country_type_and_words(belvo: Belvo) -> None:
    fiscal = belvo("GET", "/api/institutions/?country_code__in=MX&type=fiscal").json()["results"]
    named = belvo("GET", "/api/institutions/?display_name=capivara").json()["results"]

    assert {bank["name"] for bank in fiscal} == {"tatooine_mx_fiscal", "anchorhead_mx_fiscal", "moseisley_mx_fiscal"}
    assert [bank["country_code"] for bank in named] == ["BR"]


def test_institution_numbers_are_unique() -> None:
    assert len({bank["id"] for bank in INSTITUTIONS.values()}) == len(INSTITUTIONS)


def test_a_link_is_refreshed_once_in_ten_minutes(belvo: Belvo, clock: MovableClock) -> None:
    link = belvo.new_link()
    clock.forward(60)

    first = belvo("POST", f"/api/links/{link}/refresh/")
    clock.forward(60)
    second = belvo("POST", f"/api/links/{link}/refresh/")

    assert first.status_code == 202
    assert belvo.link(link)["last_accessed_at"] == "2026-09-21T14:14:20.000000Z"
    assert (second.status_code, second.json()[0]["code"]) == (409, "link_refreshed")


def test_settings_of_a_link_are_changed(belvo: Belvo) -> None:
    link = belvo.new_link()

    answer = belvo("PATCH", f"/api/links/{link}/", {"access_mode": "single"})

    assert answer.json()["access_mode"] == "single"


def test_a_link_is_deleted_at_once_or_later(belvo: Belvo) -> None:
    first, second = belvo.new_link("maria"), belvo.new_link("tomas")

    at_once = belvo("DELETE", f"/api/links/{first}/")
    later = belvo("DELETE", f"/api/links/{second}/", headers={"X-Belvo-Request-Mode": "async"})

    assert (at_once.status_code, at_once.content) == (204, b"")
    assert (later.status_code, list(later.json())) == (202, ["request_id"])


def test_a_widget_token_asks_for_the_keys_in_the_body(belvo: Belvo) -> None:
    body = {"id": "sandbox-id", "password": "sandbox-password", "scopes": "read_institutions,write_links"}

    right = belvo("POST", "/api/token/", body)
    wrong = belvo("POST", "/api/token/", {**body, "password": "wrong"})

    assert set(right.json()) == {"access", "refresh"}
    assert wrong.status_code == 401
