"""Several web processes: all show what any of them received."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from requests import Response

from .browser import Browser
from .stack import PlantedLink, Stack

pytestmark = pytest.mark.processes

PROCESSES = 3
NUMBER = re.compile(r'class="challenge__number">(\d{6})<')


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("several"), static=static, web_processes=PROCESSES) as running:
        yield running


@pytest.fixture
def ana(several: Stack) -> Browser:
    return several.browser("ana")


@pytest.fixture
def asked(several: Stack, ana: Browser) -> PlantedLink:
    """A link whose bank shows a number and waits for a code."""
    link = several.link()
    ana.update_credentials(link.page, password="mfa_numeric")
    return link


def from_everybody(several: Stack, browser: Browser, path: str) -> list[Response]:
    """Request a page until every web process has answered."""
    answers: list[Response] = []
    before = len(several.served_by(f"GET {path}"))
    while len(set(several.served_by(f"GET {path}")[before:])) < PROCESSES:
        assert len(answers) < 200, "one process gets nothing to do"
        answers.append(browser.get(path))
    return answers


def number_on(pages: list[Response]) -> str:
    """Return the number that all these pages show."""
    (shown,) = {found[1] if (found := NUMBER.search(page.text)) else "" for page in pages}
    return shown


def test_every_process_shows_the_same_number(several: Stack, ana: Browser, asked: PlantedLink) -> None:
    pages = from_everybody(several, ana, f"{asked.page}code/")

    assert number_on(pages)


def test_every_process_shows_the_new_number_after_a_wrong_code(
    several: Stack, ana: Browser, asked: PlantedLink
) -> None:
    step = f"{asked.page}code/"
    used = number_on([ana.get(step)])
    ana.submit(step, having="code", code="222222")

    shown = number_on(from_everybody(several, ana, step))
    done = ana.submit(step, having="code", code="111111")

    assert shown
    assert shown != used
    assert done.url.endswith(asked.page)


def test_records_are_requested_once_for_all_processes(several: Stack, ana: Browser) -> None:
    records = f"/integrations/{several.integrations['belvo']}/records/links/"

    pages = from_everybody(several, ana, records)

    assert len({page.text.count("erebor_mx_retail") for page in pages}) == 1
    listed = [call for call in several.calls("GET", "/api/links/") if call["path"] == "/api/links/"]
    assert len([call for call in listed if "fields" not in call["query"]]) == 1  # full checks request only some fields


def test_number_outlives_the_process_that_got_it(several: Stack, ana: Browser, asked: PlantedLink) -> None:
    shown = number_on([ana.get(f"{asked.page}code/")])
    several.kill_web_workers()
    several.start("web")

    page = ana.get(f"{asked.page}code/")

    assert shown
    assert number_on([page]) == shown


def test_no_program_leaves_a_core_dump(several: Stack) -> None:
    # gunicorn's master loads none of our code and handles no requests. Its systemd unit sets the limit.
    foreign = {several.pid("simulator"), several.pid("web")}
    for pid in set(several.processes()) - foreign:
        limits = Path(f"/proc/{pid}/limits").read_text()
        program = Path(f"/proc/{pid}/cmdline").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits), program


def test_code_sent_from_many_tabs_to_every_process_is_one_call(
    several: Stack, ana: Browser, asked: PlantedLink
) -> None:
    form = ana.open(f"{asked.page}code/", having="code")
    before = len(several.calls("PATCH", "/api/links"))
    tabs = 12

    with ThreadPoolExecutor(tabs) as pool:
        answers = list(pool.map(lambda _tab: ana.send(form, code="111111"), range(tabs)))

    assert len(several.calls("PATCH", "/api/links")) == before + 1
    assert {answer.status_code for answer in answers} <= {200, 409, 503}  # 503: all slots are in use
