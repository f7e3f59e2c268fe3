"""Institutions of a provider without an endpoint for a single one: the list is searched."""

from collections.abc import Iterator

import pytest

from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.providers import PROVIDERS
from linkadmin.providers.errors import NotFound
from linkadmin.providers.records import LeftOut
from linkadmin.providers.types import Capability, RemoteInstitution
from linkadmin.sync.institutions import read_institutions
from tests.environment import Environment

from .provider import Tinbank

pytestmark = pytest.mark.django_db(transaction=True)


class TinbankWithBanks(Tinbank):
    capabilities = Tinbank.capabilities | {Capability.INSTITUTIONS}
    status = "healthy"

    def list_institutions(self, left_out: list[LeftOut] | None = None) -> Iterator[RemoteInstitution]:
        for number in ("1", "2"):
            yield RemoteInstitution(number, f"tin_{number}", f"Bank {number}", "bank", "", self.status, "", (), (), ())


@pytest.fixture
def integration(integration: Integration, monkeypatch: pytest.MonkeyPatch) -> Integration:
    monkeypatch.setitem(PROVIDERS, "tin_bank", f"{__name__}:TinbankWithBanks")  # type: ignore[arg-type]
    return Integration.objects.get()


def test_page_of_an_institution_reads_it_out_of_the_list(
    env: Environment, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_institutions(integration)
    bank = integration.institutions.get(name="tin_2")
    monkeypatch.setattr(TinbankWithBanks, "status", "down")

    answer = env.post(f"{bank.get_absolute_url()}read/")

    bank.refresh_from_db()
    assert (answer.location, bank.status) == (bank.get_absolute_url(), "down")
    assert integration.institutions.get(name="tin_1").status == "healthy"


def test_institution_that_is_not_listed_is_not_found(integration: Integration) -> None:
    with pytest.raises(NotFound):
        client_for(integration).read_institution("3")
