"""Belvo: removal in the background, trimmed responses, and credential storage."""

from typing import Any

import pytest

from linkadmin.simulator.store import REMOVED_AFTER

from .conftest import Belvo, MovableClock

IN_THE_BACKGROUND = {"X-Belvo-Request-Mode": "async"}


def test_a_removal_in_the_background_takes_a_few_seconds(belvo: Belvo, clock: MovableClock) -> None:
    link = belvo.new_link()

    answer = belvo("DELETE", f"/api/links/{link}/", headers=IN_THE_BACKGROUND)
    clock.forward(REMOVED_AFTER - 1)
    before = belvo("GET", f"/api/links/{link}/").status_code
    clock.forward(1)

    assert (answer.status_code, answer.json().keys()) == (202, {"request_id"})
    assert (before, belvo("GET", f"/api/links/{link}/").status_code) == (200, 404)


def test_a_plain_removal_is_done_when_it_is_answered(belvo: Belvo) -> None:
    link = belvo.new_link()

    assert belvo("DELETE", f"/api/links/{link}/").status_code == 204
    assert belvo("GET", f"/api/links/{link}/").status_code == 404


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"access_mode": "recurrent", "credentials_storage": "30d"}, "invalid_credentials_storage"),
        ({"credentials_storage": "nostore"}, "invalid_credentials_storage"),
        ({"access_mode": "single", "credentials_storage": "nostore"}, "invalid_fetch_resources"),
        ({"access_mode": "single", "fetch_resources": ["INVOICES"]}, "invalid"),
        ({"access_mode": "single", "fetch_resources": "ACCOUNTS"}, "not_a_list"),
    ],
)
def test_some_settings_do_not_go_together(belvo: Belvo, settings: dict[str, Any], code: str) -> None:
    answer = belvo.register("maria", **settings)

    assert (answer.status_code, answer.json()[0]["code"]) == (400, code)
    assert belvo("GET", "/api/links/").json()["count"] == 0


def test_a_link_may_store_nothing_when_it_fetches_something(belvo: Belvo) -> None:
    settings: dict[str, Any] = {
        "access_mode": "single",
        "credentials_storage": "nostore",
        "fetch_resources": ["ACCOUNTS"],
    }

    answer = belvo.register("maria", **settings)

    assert answer.status_code == 201
    assert answer.json()["fetch_resources"] == ["ACCOUNTS"]


def test_answers_are_trimmed_to_the_fields_that_are_wanted(belvo: Belvo) -> None:
    link = belvo.new_link()

    one = belvo("GET", f"/api/links/{link}/?fields=id,status").json()
    page = belvo("GET", "/api/links/?omit=id,status").json()

    assert one == {"id": link, "status": "valid"}
    assert page["count"] == 1
    assert {"id", "status"} & page["results"][0].keys() == set()
    assert page["results"][0]["institution"] == "erebor_mx_retail"
