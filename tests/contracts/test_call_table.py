"""docs/provider-calls.md lists all calls as in documents, clients, pages and simulator."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.urls import get_resolver

from linkadmin.providers import provider_class
from linkadmin.simulator.belvo import api as belvo
from linkadmin.simulator.heron import api as heron
from linkadmin.simulator.plaid import api as plaid
from linkadmin.simulator.wire import Route

from .calls import BELVO, HERON, PLAID, Call, offered
from .documents import document

pytestmark = pytest.mark.contracts

TABLE = Path(__file__).parents[2] / "docs" / "provider-calls.md"
ROUTES: Mapping[str, tuple[Route, ...]] = {"belvo": belvo.ROUTES, "heron": heron.ROUTES, "plaid": plaid.ROUTES}
TRIED: Mapping[str, Mapping[str, Call]] = {"belvo": BELVO, "heron": HERON, "plaid": PLAID}
SECTIONS = {"Belvo": "belvo", "Heron Data": "heron", "Plaid": "plaid"}
WITH_UNUSED_CALLS = {"belvo", "heron"}  # their simulators also answer calls that we don't use
AN_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Row:
    provider: str
    name: str
    methods: list[str]
    places: list[str]
    why_not: str

    def __str__(self) -> str:
        return self.name


def rows() -> Iterator[Row]:
    provider = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            provider = SECTIONS[line[3:]]
        elif line.startswith("| `"):
            name, methods, places, why_not = (cell.strip() for cell in line.strip("|").split("|"))
            yield Row(provider, name.strip("`"), named(methods), named(places), why_not)


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def calls_of(provider: str) -> dict[str, tuple[str, str]]:
    """Method and path of each documented call."""
    paths: dict[str, dict[str, Any]] = document(f"{provider}.yaml")["paths"]
    return {
        call["operationId"]: (method.upper(), path)
        for path, calls in paths.items()
        for method, call in calls.items()
        if isinstance(call, dict) and "operationId" in call
    }


@pytest.mark.parametrize("provider", SECTIONS.values())
def test_the_table_has_each_call_of_the_document_once(provider: str) -> None:
    assert sorted(row.name for row in rows() if row.provider == provider) == sorted(calls_of(provider))


@pytest.mark.parametrize("row", rows(), ids=str)
def test_a_row_has_no_empty_cell_that_it_does_not_explain(row: Row) -> None:
    assert bool(row.methods) == bool(row.places) == (not row.why_not)


@pytest.mark.parametrize("row", rows(), ids=str)
def test_the_client_makes_the_call_and_it_is_tried_against_the_document(row: Row) -> None:
    methods = [name for name in row.methods if name in offered(provider_class(row.provider))]
    made = {(TRIED[row.provider][name].method, TRIED[row.provider][name].path) for name in methods}

    assert methods == row.methods
    assert not methods or calls_of(row.provider)[row.name] in made


@pytest.mark.parametrize("row", rows(), ids=str)
def test_the_pages_and_jobs_exist(row: Row) -> None:
    current_app.loader.import_default_modules()
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)} | set(current_app.tasks)

    assert set(row.places) <= known


@pytest.mark.parametrize("row", [row for row in rows() if row.methods or row.provider in WITH_UNUSED_CALLS], ids=str)
def test_the_simulator_answers_the_call(row: Row) -> None:
    method, path = calls_of(row.provider)[row.name]
    concrete = re.sub(r"\{[^}]+\}", "1004" if "institutions" in path else AN_ID, path)

    assert [
        route for route in ROUTES[row.provider] if method in route.methods and re.fullmatch(route.pattern, concrete)
    ]
