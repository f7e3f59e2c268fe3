"""Demo data seeded once per module: it takes a second or two, and most tests only read it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from linkadmin.demo.seed_data import seed
from linkadmin.integrations.models import Integration
from linkadmin.simulator.server import Simulator

SOMEWHERE = "http://127.0.0.1:8800"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def state(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """Seed the data, to be rolled back after the module. Returns the state file of the providers."""
    path = tmp_path_factory.mktemp("demo") / "simulator.json"
    with django_db_blocker.unblock(), transaction.atomic():
        assert seed(simulator_state=path, simulator_url=SOMEWHERE, now=NOW)
        django_db_blocker.block()
        yield path
        django_db_blocker.restore()
        transaction.set_rollback(True)


@pytest.fixture
def providers(state: Path, db: None, tmp_path: Path) -> Iterator[Simulator]:
    """The simulated providers with the seeded state, reachable by the seeded integrations."""
    copy = shutil.copy(state, tmp_path / "simulator.json")
    with Simulator(state_file=Path(copy)) as simulator:
        Integration.objects.update(base_url=simulator.url)
        yield simulator
