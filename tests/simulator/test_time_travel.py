"""Time travel: what changes, which webhooks are sent, and the snapshot afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from linkadmin.simulator.generated import Population
from linkadmin.simulator.server import Simulator

from .conftest import Belvo, Heron, MovableClock
from .listing import end_users, pages
from .receiver import Receiver

SIZE = 2000
DAY = 86_400


@pytest.fixture
def simulator(clock: MovableClock) -> Iterator[Simulator]:
    with Simulator(clock=clock, population=Population(7, SIZE, SIZE)) as running:
        yield running


def statuses(snapshot: dict[str, Any], provider: str) -> dict[str, tuple[str, str | None]]:
    return {key: (status, message) for key, (status, message, _) in snapshot[provider].items()}


def post(simulator: Simulator, wish: dict[str, Any]) -> requests.Response:
    return requests.post(f"{simulator.url}/time-travel.json", json=wish, timeout=60)


def test_the_snapshot_matches_the_lists(simulator: Simulator, belvo: Belvo, heron: Heron) -> None:
    simulator.travel(hours=24, seed=3, share=0.3)

    snapshot = simulator.snapshot()
    assert snapshot["belvo"] == {row["id"]: (row["status"], None, row["last_accessed_at"]) for row in pages(belvo)}
    for user in end_users(heron)[::40]:
        for link in heron.links_of(user["end_user_id"]):
            standing = (link["status"], link["status_message"], link["last_successful_sync"])
            assert snapshot["heron"][link["item_id"]] == standing


def test_links_are_created_removed_broken_and_repaired(simulator: Simulator) -> None:
    before = simulator.snapshot()

    counts = simulator.travel(hours=24, seed=1, share=0.5)

    after = simulator.snapshot()
    for provider, gone in (("belvo", "removed"), ("heron", "end_user_removed")):
        old, new = statuses(before, provider), statuses(after, provider)
        assert len(new.keys() - old.keys()) in range(counts[provider]["registered"] // 2, SIZE)
        assert len(old.keys() - new.keys()) >= counts[provider][gone] // 2
        assert 100 < sum(new[key] != old[key] for key in old.keys() & new.keys()) < SIZE / 2
    assert {"refused", "code_asked", "repaired", "refreshed", "silent", "consent_ended"} < counts["belvo"].keys()
    assert {"failed", "synced", "deleted_in_plaid", "switched_off", "processed"} < counts["heron"].keys()
    assert counts["banks"].keys() == {"up", "down"}


def test_only_the_share_is_touched(simulator: Simulator) -> None:
    before = simulator.snapshot()["belvo"]

    counts = simulator.travel(hours=24, seed=1, share=0.01)

    touched = {provider: sum(counts[provider].values()) for provider in ("belvo", "heron")}
    assert all(10 <= number <= 35 for number in touched.values())
    after = simulator.snapshot()["belvo"]
    assert sum(before[key][0] != after[key][0] for key in before.keys() & after.keys()) <= touched["belvo"]
    assert len(before.keys() ^ after.keys()) <= touched["belvo"]


def test_the_same_seed_makes_the_same_day(clock: MovableClock) -> None:
    days = []
    for seed in (4, 4, 5):
        with Simulator(clock=clock, population=Population(7, SIZE, SIZE)) as simulator:
            days.append((simulator.travel(hours=6, seed=seed), simulator.snapshot()))

    assert days[0] == days[1] != days[2]


def test_the_clock_goes_ahead_and_links_are_fetched_on_the_way(simulator: Simulator, clock: MovableClock) -> None:
    before = simulator.snapshot()["belvo"]

    received = simulator.travel(hours=48, share=0)

    fetched = [key for key, (_, _, last) in simulator.snapshot()["belvo"].items() if last != before[key][2]]
    assert received == {"belvo": {}, "heron": {}, "banks": received["banks"], "now": "2026-09-23T14:13:20.000000Z"}
    assert simulator.clock() == clock.now + 2 * DAY
    assert SIZE / 3 < len(fetched) < SIZE * 3 / 4


def test_no_hours_leave_the_clock_where_it_is(simulator: Simulator, clock: MovableClock) -> None:
    first, second = (simulator.travel(hours=0, seed=1, share=0.1) for _ in range(2))

    assert simulator.clock() == clock.now
    assert sum(first["belvo"].values()) >= 200
    assert first != second


def test_webhooks_are_sent_as_the_providers_would(simulator: Simulator, heron: Heron, receiver: Receiver) -> None:
    for topic in ("integration_link.erroring", "end_user.created"):
        heron("POST", "/api/webhooks", {"topic": topic, "url": receiver.url("/heron/")})
    simulator.webhooks(belvo_url=receiver.url("/belvo/"))

    counts = simulator.travel(hours=3, seed=2, share=0.05)

    assert simulator.delivered()
    bodies = [got.body for got in receiver.got]
    codes = [body["webhook_code"] for body in bodies if "webhook_code" in body]
    failed = [body["data"]["item_id"] for body in bodies if body.get("topic") == "integration_link.erroring"]
    assert len(failed) == counts["heron"]["failed"]
    assert 0 < codes.count("token_required") <= counts["belvo"]["code_asked"] + counts["belvo"]["refused"]
    assert "historical_update" in codes
    assert not [code for code in codes if "valid" in code and code != "invalid_credentials"]


def test_broken_links_are_returned_by_id(simulator: Simulator, receiver: Receiver) -> None:
    simulator.webhooks(belvo_url=receiver.url())

    moved = simulator.drift(belvo=10, seed=3)["belvo"]

    assert simulator.delivered()
    snapshot = simulator.snapshot()["belvo"]
    received = {got.body["link_id"] for got in receiver.got if got.body["webhook_type"] == "LINK"}
    assert received
    assert received <= {key for key in moved if snapshot[key][0] in ("invalid", "token_required")}


def test_the_lever_answers_with_what_happened(simulator: Simulator, belvo: Belvo) -> None:
    answer = post(simulator, {"hours": 1, "seed": 1, "share": 0.02})

    assert (answer.status_code, answer.json().keys()) == (200, {"belvo", "heron", "banks", "now"})
    assert belvo("GET", "/api/links/").status_code == 200


@pytest.mark.parametrize(
    "wish", [{"hours": -1}, {"share": 2}, {"step": 0}, {"hours": "24"}, {"days": 1}, {"seed": 0.5}, {"step": 0.001}]
)
def test_invalid_time_travel_is_rejected(simulator: Simulator, clock: MovableClock, wish: dict[str, Any]) -> None:
    answer = post(simulator, wish)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert simulator.clock() == clock.now


@pytest.mark.thorough
def test_a_day_of_twenty_thousand_links_passes_quickly(clock: MovableClock) -> None:
    with Simulator(clock=clock, population=Population(7, 20_000, 20_000)) as simulator:
        counts = simulator.travel(hours=24, seed=1, share=0.1)
        snapshot = simulator.snapshot()

    assert sum(counts["belvo"].values()) in range(1900, 2100)
    assert all(19_000 < len(each) < 21_000 for each in snapshot.values())
