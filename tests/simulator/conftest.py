"""A running simulator, a movable clock, and one client per provider over a real socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from linkadmin.simulator.server import Simulator
from tests.waiting import BUSY_SECONDS

from .receiver import Receiver


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the simulator's own tests only in `.ci/run thorough`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.thorough)


class MovableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0  # 2026-09-21T14:13:20Z

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Client:
    def __init__(self, url: str, **session: Any) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = session.get("auth")
        self.session.headers.update(session.get("headers", {}))

    def __call__(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, **{"timeout": BUSY_SECONDS, **more})


class Belvo(Client):
    def register(self, username: str, password: str = "pass_valid", **more: Any) -> requests.Response:
        body = {"institution": "erebor_mx_retail", "username": username, "password": password, **more}
        return self("POST", "/api/links/", body)

    def new_link(self, username: str = "maria", **more: Any) -> str:
        answer = self.register(username, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def update(self, link: str, password: str, **more: Any) -> requests.Response:
        return self("PUT", f"/api/links/{link}/", {"password": password, **more})

    def resume(self, challenge: dict[str, Any], token: str | None = None) -> requests.Response:
        body = {"session": challenge["session"], "link": challenge["link"]}
        return self("PATCH", "/api/links/", body if token is None else {**body, "token": token})

    def link(self, link: str) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", f"/api/links/{link}/").json()
        return found


class Heron(Client):
    links = "/api/integrations/itg_sandbox_transactions/links"

    def create(self, item_id: str, access_token: str = "access-sandbox-1", **more: Any) -> requests.Response:
        body = {"access_token": access_token, "end_user_id": "cust-1", "end_user_name": "Blue Fern Bakery"}
        return self("POST", self.links, {**body, "item_id": item_id, **more})

    def links_of(self, end_user_id: str) -> list[dict[str, Any]]:
        links: list[dict[str, Any]] = self("GET", f"/api/end_users/{end_user_id}/integration_links").json()["links"]
        return links


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def simulator(clock: MovableClock) -> Iterator[Simulator]:
    with Simulator(clock=clock) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def belvo(simulator: Simulator) -> Iterator[Belvo]:
    client = Belvo(simulator.url, auth=("sandbox-id", "sandbox-password"))
    with client.session:
        yield client


@pytest.fixture
def heron(simulator: Simulator) -> Iterator[Heron]:
    client = Heron(simulator.url, headers={"x-api-key": "key_sandbox"})
    with client.session:
        yield client
