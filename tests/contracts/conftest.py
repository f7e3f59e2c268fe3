"""Prism on both sides: as a mock for our clients, and as a validating proxy in front of our simulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Secret
from linkadmin.simulator.plaid.api import CLIENT_ID, SECRET
from linkadmin.simulator.server import Simulator
from tests.environment import HERON_INTEGRATION, Clock
from tests.needs import CONTRACTS
from tests.providers.conftest import RecordingAdmission

from .relay import Relay
from .tools import prism, prism_program


def belvo_at(url: str) -> Provider:
    keys = {"secret_id": Secret("sandbox-id"), "secret_password": Secret("sandbox-password")}
    return provider_class("belvo")(
        base_url=url, options={}, secrets=keys, admission=RecordingAdmission(retries=0), allow_loopback=True
    )


def heron_at(url: str) -> Provider:
    options, keys = {"integration_id": HERON_INTEGRATION}, {"api_key": Secret("key_sandbox")}
    return provider_class("heron")(
        base_url=url, options=options, secrets=keys, admission=RecordingAdmission(retries=0), allow_loopback=True
    )


def plaid_at(url: str) -> Provider:
    keys = {"client_id": Secret(CLIENT_ID), "secret": Secret(SECRET)}
    return provider_class("plaid")(
        base_url=url, options={"countries": "US"}, secrets=keys, admission=RecordingAdmission(), allow_loopback=True
    )


@pytest.fixture(scope="session")
def program() -> Path:
    return prism_program()


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prism")


@pytest.fixture(scope="session")
def belvo_mock_url(program: Path, logs: Path) -> Iterator[str]:
    with prism(program, logs / "belvo-mock", "mock", str(CONTRACTS / "belvo.yaml")) as url:
        yield url


@pytest.fixture(scope="session")
def heron_mock_url(program: Path, logs: Path) -> Iterator[str]:
    with prism(program, logs / "heron-mock", "mock", str(CONTRACTS / "heron.yaml")) as url:
        yield url


@pytest.fixture(scope="session")
def plaid_mock_url(program: Path, logs: Path) -> Iterator[str]:
    with prism(program, logs / "plaid-mock", "mock", str(CONTRACTS / "plaid.yaml")) as url:
        yield url


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def simulator(clock: Clock) -> Iterator[Simulator]:
    """One for all tests, because Prism keeps the URL it was started with."""
    with Simulator(record=True, clock=clock) as running:
        yield running


@pytest.fixture(scope="session")
def belvo_judge_url(program: Path, logs: Path, simulator: Simulator) -> Iterator[str]:
    with _judge(program, logs / "belvo-judge", "belvo.yaml", simulator) as url:
        yield url


@pytest.fixture(scope="session")
def heron_judge_url(program: Path, logs: Path, simulator: Simulator) -> Iterator[str]:
    with _judge(program, logs / "heron-judge", "heron.yaml", simulator) as url:
        yield url


@pytest.fixture(scope="session")
def plaid_judge_url(program: Path, logs: Path, simulator: Simulator) -> Iterator[str]:
    with _judge(program, logs / "plaid-judge", "plaid.yaml", simulator) as url:
        yield url


@contextmanager
def _judge(program: Path, log: Path, document: str, simulator: Simulator) -> Iterator[str]:
    # The mock checks requests. Here invalid ones must get through, so that their errors are checked.
    arguments = ("--errors", "--validate-request=false", str(CONTRACTS / document), simulator.url)
    with prism(program, log, "proxy", *arguments) as url:
        yield url


@pytest.fixture
def belvo_mock(belvo_mock_url: str) -> Iterator[Relay]:
    with Relay(belvo_mock_url) as relay:
        yield relay


@pytest.fixture
def heron_mock(heron_mock_url: str) -> Iterator[Relay]:
    with Relay(heron_mock_url) as relay:
        yield relay


@pytest.fixture
def plaid_mock(plaid_mock_url: str) -> Iterator[Relay]:
    with Relay(plaid_mock_url) as relay:
        yield relay


@pytest.fixture
def belvo_judge(belvo_judge_url: str) -> Iterator[Relay]:
    with Relay(belvo_judge_url) as relay:
        yield relay


@pytest.fixture
def heron_judge(heron_judge_url: str) -> Iterator[Relay]:
    with Relay(heron_judge_url) as relay:
        yield relay


@pytest.fixture
def plaid_judge(plaid_judge_url: str) -> Iterator[Relay]:
    with Relay(plaid_judge_url) as relay:
        yield relay
