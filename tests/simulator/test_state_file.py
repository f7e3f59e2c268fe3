"""The state file: links survive a restart, passwords are never written, and a prepared file is loaded."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from linkadmin.simulator.server import Simulator
from linkadmin.simulator.state_file import StateFileError
from tests.waiting import wait_until

from .conftest import Belvo, Heron

SECRETS = {"username": "canaryuser", "password": "canarypass", "token": "canary"}


def belvo_at(simulator: Simulator) -> Belvo:
    return Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))


def heron_at(simulator: Simulator) -> Heron:
    return Heron(simulator.url, headers={"x-api-key": "key_sandbox"})


def plant(path: Path, **store: Any) -> Path:
    path.write_text(json.dumps(store))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "simulator.json"


def test_links_survive_a_restart(path: Path) -> None:
    with Simulator(state_file=path) as before, (belvo := belvo_at(before)).session:
        link = belvo.link(belvo.new_link("maria"))
        with (heron := heron_at(before)).session:
            heron.create("item-1")

    with Simulator(state_file=path) as after, (belvo := belvo_at(after)).session:
        with (heron := heron_at(after)).session:
            items = [each["item_id"] for each in heron.links_of("cust-1")]

        assert belvo.link(link["id"]) == link
        assert belvo.register("maria").json()[0]["code"] == "duplicated"
        assert items == ["item-1"]


def test_no_secret_reaches_the_file_and_nobody_else_may_read_it(path: Path) -> None:
    with Simulator(state_file=path) as simulator, (belvo := belvo_at(simulator)).session:
        belvo("POST", "/api/links/", {"institution": "erebor_mx_retail", **SECRETS})
        with (heron := heron_at(simulator)).session:
            heron.create("item-1", "access-canary")

    text = path.read_text()
    assert "erebor_mx_retail" in text
    assert "canary" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_change_is_written_while_the_server_runs(path: Path) -> None:
    with Simulator(state_file=path) as simulator, (belvo := belvo_at(simulator)).session:
        link = belvo.new_link()

        wait_until(lambda: path.exists() and link in path.read_text())


def test_a_state_file_needs_only_its_required_fields(path: Path) -> None:
    link = {"institution": "erebor_mx_retail", "status": "invalid", "created_at": "2026-01-02T08:00:00+00:00"}
    item = {"item_id": "item-1", "end_user_id": "cust-1", "integration": "itg_sandbox_assets", "status": "syncing"}
    plant(path, belvo={"institutions": {"erebor_mx_retail": "down"}, "links": [link]}, heron={"links": [item]})

    with Simulator(state_file=path) as simulator, (belvo := belvo_at(simulator)).session:
        with (heron := heron_at(simulator)).session:
            items = heron.links_of("cust-1")
        links = belvo("GET", "/api/links/").json()["results"]
        bank = belvo("GET", "/api/institutions/?name=erebor_mx_retail").json()["results"][0]

    assert [(each["status"], each["created_at"]) for each in links] == [("invalid", "2026-01-02T08:00:00.000000Z")]
    assert [(each["status"], each["type"]) for each in items] == [("syncing", "plaid_assets_report")]
    assert bank["status"] == "down"


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ({"belvo": {"links": [{"institution": "narnia_mx_retail"}]}}, "'narnia_mx_retail' isn't an institution"),
        ({"belvo": {"links": [{}]}}, "a BelvoLink has no institution"),
        ({"heron": {"links": [{"item_id": "a", "end_user_id": "b", "colour": "red"}]}}, "unknown key 'colour'"),
        ({"heron": {"links": [{"item_id": "a", "end_user_id": "b", "status": "fine"}]}}, "'fine' isn't the status"),
        ({"version": 9}, "version 9 isn't supported"),
        ({"belvo": {"links": [{"institution": "erebor_mx_retail", "created_at": "today"}]}}, "Invalid isoformat"),
    ],
)
def test_an_invalid_file_is_rejected_with_the_reason(path: Path, store: dict[str, Any], words: str) -> None:
    plant(path, **store)

    with pytest.raises(StateFileError, match=words):
        Simulator(state_file=path).start()
