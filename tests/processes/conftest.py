"""One running stack for all tests here: starting one takes longer than most of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import servers
from .stack import PROGRAMS, Stack


@pytest.fixture(scope="package")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files are gathered once."""
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="package")
def embedded(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("embedded"), static=static) as running:
        yield running


@pytest.fixture(scope="package")
def webhook_path(embedded: Stack) -> str:
    """Where Belvo delivers to the embedded stack."""
    return str(embedded.run("tests.processes.webhook_endpoint"))


@pytest.fixture(scope="package")
def on_servers(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    """A stack told by nothing but its environment to use PostgreSQL and Redis."""
    folder = tmp_path_factory.mktemp("servers")
    with servers.borrowed() as environment, Stack(folder, static=static, **environment) as running:
        yield running


@pytest.fixture
def stack(embedded: Stack) -> Iterator[Stack]:
    """The embedded stack, whole again after each test."""
    yield embedded
    embedded.start(*PROGRAMS)
    embedded.thaw("simulator", *PROGRAMS)
