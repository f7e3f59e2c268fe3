"""The company's own endpoint for repair pages: a double of it checks what we sign and answers as the docs say."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NewConnectionNeeded, NotFound, NotSent, OutcomeUnknown, ProviderError, Rejected
from linkadmin.providers.http.signed_requests import LARGEST, check_url
from linkadmin.providers.types import NewSession, Secret

from .conftest import RecordingAdmission, Script, reply

Serve = Callable[..., Script]

SIGNING_SECRET = "canary-signing-secret-of-the-company"
SESSION = NewSession(None, "item-1", "reference-1", "Linkadmin", "pt", 3600, "https://links.example/repair/done/", True)
GOOD = {
    "hosted_link_url": "https://secure.plaid.com/link/lp1",
    "link_token": "link-sandbox-1",
    "expiration": "2026-11-30T12:00:00Z",
}


def plaid_with(endpoint: str, *, allow_loopback: bool = True) -> Provider:
    keys = {"client_id": "client", "secret": "canary-plaid-secret", "endpoint_secret": SIGNING_SECRET}
    return provider_class("plaid")(
        base_url="https://sandbox.plaid.com",
        options={"countries": "US", "endpoint": endpoint},
        secrets={name: Secret(text) for name, text in keys.items()},
        admission=RecordingAdmission(),
        allow_loopback=allow_loopback,
    )


def test_it_gets_the_item_id_signed_and_returns_a_page(serve: Serve) -> None:
    company = serve(reply(200, GOOD))

    made = plaid_with(f"{company.url}/repair-page?team=1").create_session(SESSION)

    assert (made.url.reveal(), made.token.reveal()) == (GOOD["hosted_link_url"], GOOD["link_token"])
    (sent,) = company.received
    assert sent.path == "/repair-page?team=1"
    assert sent.body == {
        "item_id": "item-1",
        "reference": "reference-1",
        "language": "pt",
        "url_lifetime_seconds": 3600,
        "completion_redirect_uri": "https://links.example/repair/done/",
        "account_selection_enabled": True,
    }
    timestamp = sent.headers["linkadmin-timestamp"]
    good = hmac.new(
        SIGNING_SECRET.encode(), f"{timestamp}.{json.dumps(sent.body)}".encode(), hashlib.sha256
    ).hexdigest()
    assert sent.headers["linkadmin-signature"] == f"v1={good}"
    assert abs(time.time() - int(timestamp)) < 600
    assert "canary" not in repr(sent)


def test_a_page_without_a_link_token_is_one(serve: Serve) -> None:
    company = serve(reply(200, {name: value for name, value in GOOD.items() if name != "link_token"}))

    assert not plaid_with(company.url).create_session(SESSION).token


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (409, NewConnectionNeeded), (401, Rejected), (422, Rejected)]
)
def test_it_may_say_no(serve: Serve, status: int, error: type[ProviderError]) -> None:
    company = serve(reply(status, {"error": "something that only the company understands"}))

    with pytest.raises(ProviderError) as caught:
        plaid_with(company.url).create_session(SESSION)

    assert type(caught.value) is error
    assert "only the company" not in f"{caught.value.failure}"


@pytest.mark.parametrize("answer", [{}, [], {"hosted_link_url": "https://secure.plaid.com/link/lp1"}, "text"])
def test_an_answer_without_a_page_is_unreadable(serve: Serve, answer: object) -> None:
    with pytest.raises(OutcomeUnknown):
        plaid_with(serve(reply(200, answer)).url).create_session(SESSION)


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = serve(reply(200, GOOD))
    company = serve(reply(302, b"", Location=elsewhere.url))

    with pytest.raises(OutcomeUnknown):
        plaid_with(company.url).create_session(SESSION)

    assert elsewhere.received == []


def test_only_64_kib_are_read(serve: Serve) -> None:
    company = serve(*[reply(200, GOOD | {"more": "x" * LARGEST})] * 3)

    with pytest.raises(OutcomeUnknown) as caught:
        plaid_with(company.url).create_session(SESSION)

    assert caught.value.failure.reason == "oversized"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://127.0.0.1/", "https://10.0.0.8/"])
def test_inner_addresses_are_never_called(url: str) -> None:
    with pytest.raises(NotSent) as caught:
        plaid_with(url, allow_loopback=False).create_session(SESSION)

    assert caught.value.failure.reason == "address_refused"


@pytest.mark.parametrize("url", ["http://company.example/", "https://company.example:444/", "https://a@b.example/"])
def test_other_urls_are_refused_when_saved(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|port"):
        check_url(url, allow_loopback=False)
