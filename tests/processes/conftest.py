"""One running stack for all tests here, because starting one takes longer than most tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import servers
from .stack import PROGRAMS, Stack


@pytest.fixture(scope="package")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="package")
def embedded(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("embedded"), static=static) as running:
        yield running


@pytest.fixture(scope="package")
def webhook_path(embedded: Stack) -> str:
    """The path of the embedded stack's Belvo endpoint."""
    return str(embedded.run("tests.processes.webhook_endpoint:open_belvo"))


@pytest.fixture(scope="package")
def on_servers(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[Stack]:
    """A stack that uses PostgreSQL and Redis, configured only by its environment."""
    folder = tmp_path_factory.mktemp("servers")
    with servers.borrowed() as environment, Stack(folder, static=static, **environment) as running:
        yield running


@pytest.fixture
def stack(embedded: Stack) -> Iterator[Stack]:
    """The embedded stack. All its programs run again after each test."""
    yield embedded
    embedded.start(*PROGRAMS)
    embedded.thaw("simulator", *PROGRAMS)
