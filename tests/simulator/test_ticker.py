"""Working links fetch new data on their schedule."""

import json
from pathlib import Path

from linkadmin.simulator.server import Simulator

from .conftest import Belvo, Heron, MovableClock

DAY = 86_400


def test_a_belvo_link_is_read_on_its_schedule(belvo: Belvo, clock: MovableClock) -> None:
    link = belvo.new_link()
    before = belvo.link(link)["last_accessed_at"]

    clock.forward(8 * DAY)

    assert belvo.link(link)["last_accessed_at"][:10] == "2026-09-28" > before[:10]


def test_a_belvo_link_that_does_not_work_is_not_read(belvo: Belvo, clock: MovableClock) -> None:
    link = belvo.new_link()
    for _ in range(6):
        belvo.update(link, "pass_invalid")
    before = belvo.link(link)["last_accessed_at"]

    clock.forward(8 * DAY)

    assert belvo.link(link)["last_accessed_at"] == before


def test_a_silent_link_says_it_works_and_fetches_nothing(tmp_path: Path, clock: MovableClock) -> None:
    state = tmp_path / "state.json"
    item = {"item_id": "quiet", "end_user_id": "c1", "last_successful_sync": "2026-09-01T00:00:00Z", "silent": True}
    state.write_text(
        json.dumps({"version": 1, "heron": {"links": [item, item | {"item_id": "lively", "silent": False}]}})
    )

    with Simulator(state_file=state, clock=clock) as simulator:
        answer = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})(
            "GET", "/api/end_users/c1/integration_links"
        )

    synced = {link["item_id"]: link["last_successful_sync"][:10] for link in answer.json()["links"]}
    assert synced == {"quiet": "2026-09-01", "lively": "2026-09-21"}


def test_an_end_user_who_is_removed_before_it_is_processed_is_gone(heron: Heron, clock: MovableClock) -> None:
    heron("POST", "/api/end_users", {"end_user": {"end_user_id": "mine"}})
    heron("POST", "/api/end_users/mine/delete")
    heron("PUT", "/api/end_users", {"end_user": {"end_user_id": "mine", "status": "ready"}})

    clock.forward(60)

    assert heron("GET", "/api/end_users/mine").status_code == 404
    assert heron("GET", "/api/integrations").status_code == 200
