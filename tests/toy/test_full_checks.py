"""Full checks of a third provider: none without a list; with one, its module is enough."""

from functools import partial

import pytest

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import refusals
from linkadmin.providers import PROVIDERS
from linkadmin.providers.http.answer import Answer
from linkadmin.providers.reading import listed, required_mapping
from linkadmin.providers.records import Filters, RemotePage, named, params_of
from linkadmin.providers.types import Capability, CredentialField, RemoteLink
from linkadmin.sync import full_checks
from linkadmin.sync.models import FullCheck
from linkadmin.sync.tasks import wake_full_checks
from tests.environment import Environment
from tests.sync.full_checking import completed_full_check

from .provider import Tinbank, _link
from .server import Tin, TinbankServer

pytestmark = pytest.mark.django_db(transaction=True)


class ListingTinbank(Tinbank):
    """Tinbank with a list of all tins, on one page."""

    capabilities = Tinbank.capabilities | {Capability.LINKS}
    link_filters = (CredentialField("holder", "Holder", required=False),)

    @classmethod
    def customer_filters(cls, end_user_id: str) -> Filters:
        return {"holder": end_user_id}

    def list_links(self, filters: Filters, *, page: int = 1, whole: bool = False) -> RemotePage[RemoteLink]:
        params = params_of(filters, self.link_filters)
        return self._call("list_links", "GET", "/v9/{}/tins", self.options["region"], params=params, read=_page)


def _page(answer: Answer) -> RemotePage[RemoteLink]:
    tins, odd = listed(required_mapping(answer.data).get("tins"), partial(_link, answer))
    return RemotePage(tuple(tins), number=1, is_last=True, total=len(tins), left_out=named(answer, odd, "no"))


def test_provider_without_a_list_has_none(env: Environment, integration: Integration) -> None:
    wake_full_checks()

    assert not FullCheck.objects.exists()
    with pytest.raises(refusals.ProviderCannot):
        full_checks.start(integration)
    assert env.open(f"/integrations/{integration.pk}/full-checks/", "adm").status == 404
    assert "Full checks" not in env.open(integration.get_absolute_url(), "adm").words


def test_provider_with_a_list_has_full_checks(
    integration: Integration, tinbank: TinbankServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROVIDERS, "tin_bank", "tests.toy.test_full_checks:ListingTinbank")  # type: ignore[arg-type]
    tinbank.tins["TIN-0001"] = Tin("TIN-0001", "h", "1", state="rusty")

    done = completed_full_check(Integration.objects.get())

    assert (done.found, done.seen) == (1, 1)
    assert Link.objects.get().raw_status == "rusty"
