"""Two web machines that share nothing but the database and the keys: each serves what the other has started."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import servers
from .browser import Browser
from .stack import Stack


@dataclass(frozen=True)
class Machines:
    stack: Stack
    here: Browser
    there: Browser  # the same person, at the other machine


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


def test_records_read_by_one_machine_are_shown_by_the_other(machines: Machines) -> None:
    records = f"/integrations/{machines.stack.integrations['belvo']}/records/links/"

    pages = [browser.get(records).text for browser in (machines.here, machines.there)]

    assert [page.count("erebor_mx_retail") for page in pages] == [pages[0].count("erebor_mx_retail")] * 2 != [0, 0]
    listed = [call for call in machines.stack.calls("GET", "/api/links/") if call["path"] == "/api/links/"]
    assert len([call for call in listed if "fields" not in call["query"]]) == 1  # full checks ask for some fields alone
