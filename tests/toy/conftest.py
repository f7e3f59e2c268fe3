"""A third provider, added by one line in the registry, and an environment with no other."""

from collections.abc import Iterator

import pytest

from linkadmin.integrations.models import Integration
from linkadmin.providers import PROVIDERS
from tests.environment import Environment

from .server import PASS_KEY, TinbankServer


@pytest.fixture(autouse=True)
def _registry_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "tin_bank", "tests.toy.provider:Tinbank")  # type: ignore[arg-type]


@pytest.fixture
def tinbank() -> Iterator[TinbankServer]:
    with TinbankServer() as running:
        yield running


@pytest.fixture
def integration(env: Environment, tinbank: TinbankServer) -> Integration:
    """The only integration, as an administrator adds it."""
    Integration.objects.all().delete()
    typed = {"name": "Tins of the north", "environment": "sandbox", "base_url": tinbank.url}
    typed |= {"is_active": "on", "tin_bank_pass_key": PASS_KEY, "tin_bank_region": "north"}
    env.post("/integrations/new/?provider=tin_bank", typed, "adm")
    return Integration.objects.get()
