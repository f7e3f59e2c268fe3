"""A hundred pages at once from two web processes: a person's limit is exact, and outlasts a restart."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from . import servers
from .browser import Browser
from .stack import BANKS, LINKS_PER_BANK, Stack

pytestmark = pytest.mark.processes

AT_ONCE, LIMIT = 100, 20
SETTINGS = {"LINKADMIN_CUSTOMERS_OPENED_WARNING": "10", "LINKADMIN_CUSTOMERS_OPENED_PER_HOUR": str(LIMIT)}


@contextmanager
def limited(folder: Path, static: Path, **environment: str) -> Iterator[Stack]:
    with Stack(folder, static=static, **SETTINGS, **environment) as running:
        running.kill("worker", "beat")
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def stack(request: pytest.FixtureRequest, tmp_path: Path, static: Path) -> Iterator[Stack]:
    if request.param == "sqlite":
        with limited(tmp_path, static) as running:
            yield running
    else:
        with servers.database() as url, limited(tmp_path, static, LINKADMIN_DATABASE_URL=url) as running:
            yield running


def open_at_once(stack: Stack, browser: Browser, pages: list[str]) -> dict[str, set[int]]:
    """Each page's statuses."""
    start = time.monotonic() + 1
    cookies = browser.cookies

    def opened(page: str) -> int:
        time.sleep(max(0, start - time.monotonic()))
        return requests.get(stack.url + page, cookies=cookies, timeout=120).status_code

    with ThreadPoolExecutor(len(pages)) as tabs:
        statuses = list(tabs.map(opened, pages))
    return {page: {status for each, status in zip(pages, statuses, strict=True) if each == page} for page in pages}


def test_exactly_twenty_customers_open_in_a_hundred_parallel_tries(stack: Stack) -> None:
    pages = [stack.link(bank).page for bank in BANKS for _ in range(LINKS_PER_BANK)]
    curious = stack.browser("ben")

    statuses = open_at_once(stack, curious, [*pages, *pages][:AT_ONCE])

    opened = {page for page, each in statuses.items() if 200 in each}
    assert len(opened) == LIMIT
    assert {status for each in statuses.values() for status in each} == {200, 429}
    assert len(set(stack.served_by("GET /links/"))) == 2, "one process answered them all"

    stack.kill("web")
    stack.start("web")
    again = open_at_once(stack, curious, pages)
    assert {page for page, each in again.items() if each == {200}} == opened
    noted = stack.browser("aud").get("/admin/audit/auditevent/?q=staff.limit").text
    assert [noted.count(f"limit_{what}") > 0 for what in ("warned", "reached")] == [True, True]
    assert noted.count('<td class="field-outcome">') == 2
