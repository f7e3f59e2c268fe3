"""kill -9 of beat: monitors and everybody's pages learn that nothing is checked, and pages stay open."""

from http import HTTPStatus

import pytest

from .browser import Browser
from .stack import Stack, wait_for

pytestmark = pytest.mark.processes
LONG = 180  # seconds; what is silent for 40 s counts as dead, and a busy machine takes longer to say so
STOPPED = "Background work has stopped."


def status(browser: Browser, probe: str) -> int:
    return browser.get(probe).status_code


def test_dead_scheduler_is_told_until_it_runs_again(stack: Stack) -> None:
    browser = stack.browser()
    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.OK, within=LONG)
    stack.kill("beat")

    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.SERVICE_UNAVAILABLE, within=LONG)
    wait_for(lambda: browser.says("/", STOPPED), within=LONG)
    assert status(browser, "/readyz/") == HTTPStatus.OK

    stack.start("beat")
    wait_for(lambda: status(browser, "/statusz/") == HTTPStatus.OK, within=LONG)
    wait_for(lambda: not browser.says("/", STOPPED), within=LONG)
