"""Fixtures for browser tests: one Chromium for the whole package, fresh windows for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from linkadmin.accounts.models import User
from linkadmin.demo.seed_data import seed
from linkadmin.integrations.models import Integration
from linkadmin.simulator.server import Simulator
from tests.environment import Clock, Environment
from tests.needs import CHROMIUM

from .helpers import PATIENCE, Windows

SEEDED_URL = "http://127.0.0.1:8800"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start one Chromium for the package and close it after the last test.

    While Playwright runs, this thread has an event loop. Django then blocks database access and opens separate
    connections. The plugin's fixture lasts until the end of the session, so it would affect all other tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            connections.close_all()


@pytest.fixture
def windows(chromium: Browser, live_server: LiveServer, env: Environment) -> Iterator[Windows]:
    """Browser windows for one test. Any error in one of them fails the test."""
    windows = Windows(chromium, live_server.url, env)
    yield windows
    windows.close()
    assert windows.problems == []


@pytest.fixture
def demo(db: None, clock: Clock, tmp_path: Path) -> Iterator[Environment]:
    """What `make run` shows: the demo's staff, customers and links, and its providers."""
    state = tmp_path / "simulator.json"
    seed(simulator_state=state, simulator_url=SEEDED_URL)
    with Simulator(state_file=state, record=True, clock=clock) as simulator:
        Integration.objects.update(base_url=simulator.url)
        belvo, heron = Integration.objects.filter(companion_of=None).order_by("provider")
        demo = Environment(simulator, clock, belvo, heron, {user.username: user for user in User.objects.all()})
        yield demo
        demo.settled()
