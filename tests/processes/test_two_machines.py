"""Two web machines that share only the database and the keys: each continues what the other started."""

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from . import servers
from .browser import Browser
from .stack import Stack

PICTURE = re.compile(r'<img src="(/links/[^"]+/picture/)"')


@dataclass(frozen=True)
class Machines:
    stack: Stack
    here: Browser
    there: Browser  # the same person on the other machine


@pytest.fixture(
    scope="module",
    params=[pytest.param("embedded", marks=pytest.mark.processes), pytest.param("servers", marks=pytest.mark.servers)],
)
def machines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static: Path
) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    borrowed = servers.borrowed() if request.param == "servers" else nullcontext({})
    with borrowed as environment, Stack(folder, static=static, web_processes=1, **environment) as stack:
        elsewhere = stack.start_another_machine()
        yield Machines(stack, stack.browser("ana"), stack.browser("ana", url=elsewhere))


def picture_at(browser: Browser, step: str) -> bytes:
    (url,) = PICTURE.findall(browser.get(step).text)
    return browser.get(url).content


def test_password_goes_to_one_machine_and_the_code_to_the_other(machines: Machines) -> None:
    link = machines.stack.link()
    step = f"{link.page}code/"

    machines.here.update_credentials(link.page, password="mfa_qr")
    pictures = [picture_at(browser, step) for browser in (machines.here, machines.there)]
    done = machines.there.submit(step, having="code", code="111111")

    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] == pictures[1]
    assert done.url == f"{machines.there.url}{link.page}"
    assert machines.here.state_of(link.page) == "Succeeded"
    assert len(machines.stack.calls("PATCH", "/api/links")) == 1


def test_repair_request_of_one_machine_is_opened_at_the_other(machines: Machines) -> None:
    link = machines.stack.link()
    made = machines.here.submit(f"{link.page}repair-request/", having="language", channel="copy")
    [path] = re.findall(r"(/repair/[-\w]{43}/)", made.text)
    origin = {"Origin": machines.there.url}

    with requests.Session() as customer:
        entered = customer.post(f"{machines.there.url}{path}", headers=origin, timeout=30)

    assert "Sign in at your bank" in entered.text


def test_records_read_by_one_machine_are_shown_by_the_other(machines: Machines) -> None:
    records = f"/integrations/{machines.stack.integrations['belvo']}/records/links/"

    pages = [browser.get(records).text for browser in (machines.here, machines.there)]

    assert [page.count("erebor_mx_retail") for page in pages] == [pages[0].count("erebor_mx_retail")] * 2 != [0, 0]
    listed = [call for call in machines.stack.calls("GET", "/api/links/") if call["path"] == "/api/links/"]
    assert len([call for call in listed if "fields" not in call["query"]]) == 1  # full checks request only some fields
