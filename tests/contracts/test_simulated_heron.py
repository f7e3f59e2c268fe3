"""The simulated Heron follows Heron's document, except where it breaks it on purpose."""

import itertools
from contextlib import suppress

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound, ProviderError
from linkadmin.providers.types import LinkRef, NewLink, RemoteLink, Secret
from linkadmin.simulator.heron.guide import ACTIVE, ITEM_PREFIXES, STATUS_CHANGE_AFTER, TRIGGERS, ItemPrefix
from linkadmin.simulator.server import Simulator
from tests.environment import Clock

from .calls import CUSTOMER, HERON, WEBHOOK, made, secrets
from .conftest import heron_at
from .relay import Relay

pytestmark = pytest.mark.contracts

BREAKS = {
    "access-409": "the document has no 409; it is one of the two likely answers to an item that is known",
    "access-403": "the document has no 403; a firewall, or an account without the feature, answers so",
    "access-lost-before": "the connection ends without an answer",
    "access-lost": "the connection ends without an answer",
    "access-unreadable": "the JSON ends too early",
}
NOT_TRIED = {"access-cut": "fewer bytes than announced: Prism waits for the rest for ever"}
TOKENS = [token for trigger in TRIGGERS for token in (f"{text}1" if trigger.timed else text for text in trigger.words)]
KEPT_TOKENS = [token for token in TOKENS if token not in BREAKS.keys() | NOT_TRIED.keys()]

items = itertools.count()


@pytest.fixture
def heron(heron_judge: Relay) -> Provider:
    return heron_at(heron_judge.url)


def create(heron: Provider, token: str = "access-sandbox", prefix: str = "item-") -> RemoteLink:
    values: dict[str, str | Secret] = {"item_id": f"{prefix}{next(items)}", "access_token": Secret(token)}
    return heron.create_link(NewLink(CUSTOMER, "Blue Fern Bakery", "", values))


def test_every_read_of_the_client_is_answered_as_documented(heron_judge: Relay, heron: Provider) -> None:
    link = LinkRef(create(heron).remote_id, CUSTOMER)
    heron.test_connection()
    heron.list_connectors()
    heron.list_links({"end_user_id": CUSTOMER})
    heron.read_links([link])
    heron.read_link(link)
    heron.find_link(remote_id=link.remote_id, end_user_id="nobody", institution="")
    heron.list_end_users({})
    heron.list_end_users({}, whole=True)
    heron.read_end_user(CUSTOMER)
    heron.read_processing(CUSTOMER)
    heron.list_data_sources(CUSTOMER)
    heron.list_webhooks()
    heron.list_webhook_topics()

    assert made(heron_judge.exchanges, HERON) >= {name for name, call in HERON.items() if call.method == "GET"}
    assert heron_judge.violations == []


def test_every_change_of_the_client_is_answered_as_documented(heron_judge: Relay, heron: Provider) -> None:
    heron.create_end_user(CUSTOMER, "Blue Fern Bakery")
    heron.rename_end_user(CUSTOMER, "Blue Fern Bakeries")
    link = LinkRef(create(heron).remote_id, CUSTOMER)
    heron.replace_token(link, secrets(access_token="access-sandbox"))
    heron.refresh_data(link, {})
    heron.switch_data_source(heron.list_data_sources(CUSTOMER)[0].remote_id, enabled=False)
    with suppress(NotFound):  # the customer has no reports
        heron.regenerate_reports(CUSTOMER)
    heron.remove_link(link, {})
    webhook = heron.add_webhook(WEBHOOK.topic, WEBHOOK.url)
    heron.switch_webhook(webhook, enabled=False)
    heron.remove_webhook(webhook.remote_id)

    assert made(heron_judge.exchanges, HERON) >= {name for name, call in HERON.items() if call.method != "GET"}
    assert heron_judge.violations == []


@pytest.mark.parametrize("token", KEPT_TOKENS)
def test_a_token_is_answered_as_documented(
    simulator: Simulator, heron_judge: Relay, heron: Provider, token: str
) -> None:
    with suppress(ProviderError):
        create(heron, token)

    assert heron_judge.violations == []
    assert heron_judge.exchanges[-1].status == simulator.calls[-1].status


@pytest.mark.parametrize("item_prefix", [*ITEM_PREFIXES, ACTIVE], ids=lambda each: each.prefix or "active")
def test_whatever_becomes_of_a_link_is_shown_as_documented(
    clock: Clock, heron_judge: Relay, heron: Provider, item_prefix: ItemPrefix
) -> None:
    created = create(heron, prefix=item_prefix.prefix)
    clock.forward(STATUS_CHANGE_AFTER + 1)

    settled = heron.read_link(LinkRef(created.remote_id, CUSTOMER))

    assert (settled.observation.raw_status, heron_judge.violations) == (item_prefix.status, [])


@pytest.mark.parametrize("token", BREAKS)
def test_what_breaks_the_contract_on_purpose_is_noticed(heron_judge: Relay, heron: Provider, token: str) -> None:
    with pytest.raises(ProviderError):
        create(heron, token)

    assert len(heron_judge.violations) == 1
