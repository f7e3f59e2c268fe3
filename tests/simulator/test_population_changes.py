"""Changes to a generated population: by requests, on its own, and across a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.state_file import StateFileError

from .conftest import Belvo, Heron, MovableClock
from .listing import clients, end_users, pages, states

SIZE = 3000
USERS = 2100
DAY = 86_400


@pytest.fixture
def simulator(clock: MovableClock) -> Iterator[Simulator]:
    with Simulator(clock=clock, population=Population(7, SIZE, SIZE)) as running:
        yield running


def test_a_change_stays_in_place(belvo: Belvo) -> None:
    before = pages(belvo)
    link = next(row for row in before[1000:] if row["status"] == "invalid")

    answer = belvo("PATCH", f"/api/links/{link['id']}/", {"stale_in": "90d"})
    belvo.update(link["id"], "pass_valid", token="111111", password2="pass_valid", username_type="001")

    after = belvo.link(link["id"])
    assert (answer.status_code, after["stale_in"]) == (200, "90d")
    assert [row["id"] for row in pages(belvo)] == [row["id"] for row in before]
    assert pages(belvo)[before.index(link)] == after
    assert after in pages(belvo, f"status={after['status']}")


def test_wrong_passwords_turn_a_generated_link_invalid(belvo: Belvo) -> None:
    link = pages(belvo, "status=valid&institution=erebor_mx_retail")[3]["id"]
    broken = len(pages(belvo, "status=invalid"))

    for _ in range(6):
        belvo.update(link, "pass_invalid")

    assert belvo.link(link)["status"] == "invalid"
    assert len(pages(belvo, "status=invalid")) == broken + 1
    assert link not in {row["id"] for row in pages(belvo, "status=valid")}


def test_a_removed_link_stays_away(belvo: Belvo, clock: MovableClock) -> None:
    before = pages(belvo)
    at_once, later = before[0]["id"], before[1500]["id"]

    belvo("DELETE", f"/api/links/{at_once}/")
    belvo("DELETE", f"/api/links/{later}/", headers={"X-Belvo-Request-Mode": "async"})
    clock.forward(60)

    left = [row["id"] for row in before if row["id"] not in (at_once, later)]
    assert [row["id"] for row in pages(belvo, size=501)] == left
    assert belvo("GET", f"/api/links/{at_once}/").status_code == belvo.update(later, "x").status_code == 404
    assert pages(belvo, f"id__in={at_once},{later}") == []


def test_registered_links_stand_among_the_generated_ones(belvo: Belvo, clock: MovableClock) -> None:
    before = [row["id"] for row in pages(belvo)]
    first = belvo.new_link("maria")
    clock.forward(60)
    second = belvo.new_link("tomas")
    belvo("DELETE", f"/api/links/{before[1]}/")

    del before[1]
    small = belvo("GET", "/api/links/?page_size=2&page=2").json()["results"]
    assert [row["id"] for row in small] == before[:2]
    assert [row["id"] for row in pages(belvo, size=601)] == [second, first, *before]


def test_a_refreshed_item_is_saved_and_finishes_syncing(heron: Heron, clock: MovableClock) -> None:
    key = end_users(heron)[40]["end_user_id"]
    link = heron.links_of(key)[0]
    integration = "transactions" if link["type"] == "plaid_integration" else "assets"

    answer = heron("POST", f"/api/integrations/itg_sandbox_{integration}/links/{link['item_id']}/refresh")
    clock.forward(4)

    after = heron.links_of(key)[0]
    assert answer.json()["link"]["status"] == "syncing"
    assert (after["item_id"], after["status"]) == (link["item_id"], "active")
    assert after["last_successful_sync"] > link["last_successful_sync"]
    assert heron.create(link["item_id"]).status_code == 409


def test_a_new_link_of_a_generated_end_user_joins_the_others(heron: Heron) -> None:
    user = end_users(heron)[40]
    before = heron.links_of(user["end_user_id"])

    heron.create("item-1", end_user_id=user["end_user_id"])

    rows = heron("GET", f"/api/end_users?end_user_id={user['end_user_id']}&include_data_sources=true").json()
    assert [link["item_id"] for link in heron.links_of(user["end_user_id"])] == [
        *(link["item_id"] for link in before),
        "item-1",
    ]
    assert [source["status"] for source in rows["end_users"][0]["data_sources"]][-1] == "pending"
    assert (rows["_meta"]["total"], rows["end_users"][0]["heron_id"]) == (1, user["heron_id"])
    assert len(end_users(heron)) == USERS


def test_a_data_source_is_switched_off(heron: Heron) -> None:
    path = f"/api/end_users/{end_users(heron)[7]['end_user_id']}/data_sources"
    source = heron("GET", path).json()[0]

    answer = heron("PUT", f"/api/data_sources/{source['heron_id']}", {"is_enabled": False})

    assert (source["is_enabled"], answer.json()["is_enabled"]) == (True, False)
    assert heron("GET", path).json()[0]["is_enabled"] is False


def test_links_are_switched_off_and_an_end_user_is_removed_with_them(heron: Heron) -> None:
    users = [row["end_user_id"] for row in end_users(heron, "order_by=created_asc")]

    heron("DELETE", f"{heron.links}?end_user_id_or_heron_id={users[0]}")
    heron("DELETE", f"/api/end_users/{users[1]}")

    off = {link["status"] for link in heron.links_of(users[0]) if link["type"] == "plaid_integration"}
    assert off == {"sync_disabled"}
    assert heron("GET", f"/api/end_users/{users[1]}/integration_links").status_code == 404
    assert [row["end_user_id"] for row in end_users(heron, "order_by=created_asc")] == [users[0], *users[2:]]


def test_the_asset_reports_of_a_whole_integration_are_refreshed(heron: Heron, clock: MovableClock) -> None:
    answer = heron("PUT", "/api/integrations/itg_sandbox_assets/links").json()
    during = states(heron)
    clock.forward(4)
    after = states(heron)

    assert 200 < answer["processed_links"] == during["syncing"] < 400
    assert (after["syncing"], after["active"]) == (0, during["active"] + during["syncing"])
    assert len(answer["failed_links"]) < during["erroring"]


def test_links_change_by_themselves_and_back(simulator: Simulator, belvo: Belvo, heron: Heron) -> None:
    before = {row["id"]: row["status"] for row in pages(belvo)}

    moved = heron("POST", "/drift.json", {"belvo": 20, "heron": 0.01, "seed": 3}).json()
    after = {row["id"]: row["status"] for row in pages(belvo)}

    assert {key for key in before if before[key] != after[key]} == set(moved["belvo"])
    assert (len(moved["belvo"]), len(moved["heron"])) == (20, 30)
    assert {simulator.store.heron_links[key].status for key in moved["heron"]} >= {"erroring"}
    assert simulator.drift(belvo=20, heron=30, seed=3) == moved
    assert {row["id"] for row in pages(belvo, "status=valid")} >= {
        key for key in moved["belvo"] if before[key] == "valid"
    }


@pytest.mark.thorough
def test_twenty_thousand_links_are_listed_once_each_in_one_order(clock: MovableClock) -> None:
    with Simulator(clock=clock, population=Population(7, 20_000, 20_000)) as simulator:
        belvo, heron = clients(simulator)
        with belvo.session, heron.session:
            simulator.travel(hours=2, seed=5, share=0.01)
            links = [row["id"] for row in pages(belvo)]
            users = [row["end_user_id"] for row in end_users(heron, "order_by=created_asc", 1000)]
            again = belvo("GET", "/api/links/?page_size=1000&page=7").json()["results"]

            snapshot = simulator.snapshot()
            assert len(links) == len(set(links))
            assert set(links) == snapshot["belvo"].keys()
            assert [row["id"] for row in again] == links[6000:7000]
            assert len(users) == len(set(users))
            assert {link.end_user_id for link in simulator.store.heron_links.values()} <= set(users)


@pytest.mark.parametrize("wish", [{"belvo": -1}, {"belvo": "all"}, {"seed": 0.5}, {"links": 3}, {"heron": True}])
def test_an_invalid_drift_request_changes_nothing(simulator: Simulator, heron: Heron, wish: dict[str, Any]) -> None:
    before = simulator.snapshot()

    answer = heron("POST", "/drift.json", wish)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert simulator.snapshot() == before


def test_changes_and_removals_survive_a_restart(tmp_path: Path, clock: MovableClock) -> None:
    file = tmp_path / "state.json"
    with Simulator(state_file=file, clock=clock, population=Population(7, 300, 300)) as first:
        belvo, heron = clients(first)
        with belvo.session, heron.session:
            first.drift(belvo=5, heron=5, seed=1)
            belvo("DELETE", f"/api/links/{pages(belvo)[7]['id']}/")
            heron("DELETE", f"/api/end_users/{end_users(heron)[7]['end_user_id']}")
            before = pages(belvo), end_users(heron, "include_data_sources=true")

    clock.forward(3 * DAY / 2)
    with Simulator(state_file=file, clock=clock) as second:
        belvo, heron = clients(second)
        with belvo.session, heron.session:
            after = pages(belvo), end_users(heron, "include_data_sources=true")

    moving = {"last_accessed_at": None}
    assert [row | moving for row in after[0]] == [row | moving for row in before[0]]
    assert (after[1], len(after[0]), len(after[1])) == (before[1], 299, 209)


def test_a_file_of_another_population_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Simulator(state_file=file, population=Population(7, 300, 0)):
        pass

    with pytest.raises(StateFileError, match="different population"):
        Simulator(state_file=file, population=Population(8, 300, 0)).start()
