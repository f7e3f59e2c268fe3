"""One Chromium for all tests here, and the windows of one test."""

from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.environment import Environment
from tests.needs import CHROMIUM

from .helpers import PATIENCE, Windows

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
    """Start Chromium, and end it with the last test here.

    While Playwright runs, this thread has an event loop, beside which Django refuses to ask its database, and keeps
    connections of their own. So the plugin's fixture, which lasts until the end of all tests, is not for us.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            connections.close_all()


@pytest.fixture
def windows(chromium: Browser, live_server: LiveServer, env: Environment) -> Iterator[Windows]:
    """Windows of the cast. Whatever went wrong in one of them fails the test."""
    windows = Windows(chromium, live_server.url, env)
    yield windows
    windows.close()
    assert windows.problems == []
