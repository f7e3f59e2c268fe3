"""Our Plaid client follows Plaid's document: its requests are valid, and it parses every example response."""

import pytest

from linkadmin.providers.base import Provider
from linkadmin.providers.errors import (
    Busy,
    InvalidInput,
    KeysRejected,
    NewConnectionNeeded,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from linkadmin.providers.plaid.provider import Plaid
from linkadmin.providers.records import SessionEnd
from linkadmin.providers.types import Secret

from .calls import NEW_SESSION, PLAID, WEBHOOK_KEY, offered
from .conftest import plaid_at
from .documents import Example, known_names, refusals
from .relay import Relay

pytestmark = pytest.mark.contracts

DOCUMENT = "plaid.yaml"
MEANINGS: dict[str, type[ProviderError]] = {
    "missing_fields": InvalidInput,
    "invalid_access_token": InvalidInput,
    "item_login_required": Rejected,
    "item_not_found": NewConnectionNeeded,
    "products_not_supported": NewConnectionNeeded,
    "user_permission_revoked": NewConnectionNeeded,
    "invalid_api_keys": KeysRejected,
    "invalid_public_token": Rejected,
    "institution_down": Rejected,
    "429": Busy,
    "500": OutcomeUnknown,
}


@pytest.fixture
def plaid(plaid_mock: Relay) -> Provider:
    return plaid_at(plaid_mock.url)


def test_every_call_of_the_client_is_tried_here() -> None:
    assert PLAID.keys() == offered(Plaid)


@pytest.mark.parametrize("name", PLAID)
def test_a_call_is_one_that_the_document_allows(plaid_mock: Relay, plaid: Provider, name: str) -> None:
    call = PLAID[name]

    call.make(plaid)

    (sent,) = plaid_mock.exchanges
    assert (sent.method, sent.path, sent.violation) == (call.method, call.path, "")
    assert sent.body.keys() <= known_names(DOCUMENT, call.method, call.path)


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name, call in PLAID.items() for example in refusals(DOCUMENT, call.method, call.path)],
    ids=str,
)
def test_a_documented_rejection_has_its_class(plaid_mock: Relay, plaid: Provider, name: str, example: Example) -> None:
    plaid_mock.headers = example.headers

    with pytest.raises(ProviderError) as caught:
        PLAID[name].make(plaid)

    assert type(caught.value) is MEANINGS[str(example)]
    assert {(sent.status, sent.violation) for sent in plaid_mock.exchanges} == {(example.status, "")}


def test_a_session_has_its_url_its_token_and_its_end(plaid_mock: Relay, plaid: Provider) -> None:
    made = plaid.create_session(NEW_SESSION)

    assert made.url.reveal() == "https://secure.plaid.com/link/lp000000000000000000000000000000001"
    assert made.token.reveal() == "link-sandbox-1f0b7c52-8a34-4a1b-9f5e-7d0c2e6b4a90"
    assert made.expires_at.isoformat() == "2026-11-20T10:30:00+00:00"
    (sent,) = plaid_mock.exchanges
    assert sent.body["hosted_link"] == {
        "url_lifetime_seconds": 86_400,
        "completion_redirect_uri": "https://links.example.test/repair/done/",
    }
    assert sent.body["update"] == {"account_selection_enabled": True}
    assert "products" not in sent.body


@pytest.mark.parametrize(("example", "is_started"), [("not_started", False), ("finished", True)])
def test_the_result_of_a_session_is_read(plaid_mock: Relay, plaid: Provider, example: str, is_started: bool) -> None:
    plaid_mock.headers = {"Prefer": f"code=200, example={example}"}

    result = plaid.read_session(Secret("link-sandbox-1"))

    assert (result.is_started, result.end) == (is_started, SessionEnd.FINISHED if is_started else None)


def test_a_key_that_was_not_asked_for_is_none(plaid_mock: Relay, plaid: Provider) -> None:
    assert not plaid.read_webhook_key(WEBHOOK_KEY).is_expired

    with pytest.raises(OutcomeUnknown):
        plaid.read_webhook_key("another")


def test_a_rejection_without_a_code_is_one(plaid_mock: Relay, plaid: Provider) -> None:
    plaid_mock.headers = {"Prefer": "code=400, example=institution_down"}

    with pytest.raises(Rejected) as caught:
        plaid.create_session(NEW_SESSION)

    assert not isinstance(caught.value, NotFound)
    assert (caught.value.failure.code, caught.value.failure.words) == ("INSTITUTION_DOWN", "bank not answering")
