"""Webhooks signed with keys that their provider publishes: each key is fetched once, and forgeries lead nowhere."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from linkadmin.simulator.plaid.api import CLIENT_ID, SECRET
from linkadmin.simulator.plaid.messages import SigningKey
from linkadmin.sync import delivery_reads
from linkadmin.webhooks import endpoints, published_keys
from linkadmin.webhooks.models import DeliveryOutcome, WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests.environment import Environment

from .webhook_sender import deliver, stored_delivery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

SIX_MINUTES = 6 * 60
LINK_TOKEN, PUBLIC_TOKEN = "link-sandbox-canary-1f0b", "public-sandbox-canary-2a4c"


@pytest.fixture(autouse=True)
def _nothing_fetched() -> Iterator[None]:
    published_keys.forget()
    endpoints.forget()
    yield
    published_keys.forget()
    endpoints.forget()


@pytest.fixture
def plaid(env: Environment) -> Integration:
    return env.plaid()


@pytest.fixture
def address(plaid: Integration) -> str:
    return endpoints.renew(plaid, by=None).address


def about_item(item_id: str, code: str = "LOGIN_REPAIRED", **more: Any) -> bytes:
    said = {"webhook_type": "ITEM", "webhook_code": code, "item_id": item_id, "environment": "sandbox"}
    return json.dumps(said | more, indent=2).encode()


def signed(env: Environment, body: bytes, **changed: Any) -> dict[str, str]:
    return {"Plaid-Verification": token_of(env.simulator.store.plaid_key, body, **changed)}


def token_of(key: SigningKey, body: bytes, *, headers: Mapping[str, str] | None = None, **claims: Any) -> str:
    said = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()} | claims
    return jwt.encode(said, key._private, algorithm="ES256", headers={"kid": key.kid, **(headers or {})})


def key_reads(env: Environment) -> int:
    return len(env.calls("POST", "/webhook_verification_key/get"))


def test_a_webhook_is_accepted_and_its_key_fetched_once(env: Environment, plaid: Integration, address: str) -> None:
    statuses = [deliver(address, body, signed(env, body)).status_code for body in map(about_item, ("one", "two"))]

    endpoints.forget()  # as in another process, which loads the stored key
    body = about_item("three")
    assert [*statuses, deliver(address, body, signed(env, body)).status_code] == [202, 202, 202]
    assert (key_reads(env), plaid.webhook_secrets.count()) == (1, 1)
    assert WebhookDelivery.objects.filter(secret=plaid.webhook_secrets.get()).count() == 3


def test_a_process_that_loaded_the_endpoint_before_another_fetched_the_key(env: Environment, address: str) -> None:
    provider, path = address.strip("/").split("/")[1:]
    before = endpoints.load(provider, path)
    body = about_item("one")
    deliver(address, body, signed(env, body))
    endpoints._loaded[f"{provider}/{path}"] = (time.monotonic() + 60, before)  # type: ignore[assignment]

    assert deliver(address, about_item("two"), signed(env, about_item("two"))).status_code == 202
    assert key_reads(env) == 1


def test_a_replay_is_counted_as_a_copy(env: Environment, plaid: Integration, address: str) -> None:
    body = about_item("one")
    headers = signed(env, body)

    assert [deliver(address, body, headers).status_code for _ in range(3)] == [202, 202, 202]
    assert stored_delivery(plaid).copies == 3


@pytest.mark.parametrize("age", [SIX_MINUTES, -SIX_MINUTES])
def test_a_signature_of_another_time_is_rejected(env: Environment, address: str, age: int) -> None:
    body = about_item("one")

    assert deliver(address, body, signed(env, body, iat=int(time.time()) - age)).status_code == 401
    assert (key_reads(env), WebhookDelivery.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "changed",
    [{"iat": "soon"}, {"iat": None}, {"iat": True}, {"request_body_sha256": "0" * 64}, {"request_body_sha256": None}],
    ids=str,
)
def test_wrong_claims_are_rejected(env: Environment, address: str, changed: dict[str, Any]) -> None:
    body = about_item("one")
    deliver(address, about_item("genuine"), signed(env, about_item("genuine")))

    assert deliver(address, body, signed(env, body, **changed)).status_code == 401
    assert WebhookDelivery.objects.count() == 1


def test_another_body_is_rejected_even_if_it_says_the_same(env: Environment, address: str) -> None:
    body = about_item("one")
    compact = json.dumps(json.loads(body)).encode()

    assert deliver(address, compact, signed(env, body)).status_code == 401
    assert not WebhookDelivery.objects.exists()


def test_other_algorithms_are_rejected_without_a_request(env: Environment, address: str) -> None:
    body, key = about_item("one"), env.simulator.store.plaid_key
    claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
    forged = [
        jwt.encode(claims, None, algorithm="none", headers={"kid": key.kid}),
        jwt.encode(claims, key.public()["x"], algorithm="HS256", headers={"kid": key.kid}),
        jwt.encode(claims, ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", headers={"kid": key.kid}),
        "",
        "no.token.at-all",
    ]

    assert {deliver(address, body, {"Plaid-Verification": token}).status_code for token in forged} == {401}
    assert (key_reads(env), WebhookDelivery.objects.count()) == (0, 0)


def test_a_forger_with_a_key_of_theirs_is_rejected(env: Environment, address: str) -> None:
    body, forger = about_item("one"), SigningKey()
    genuine = env.simulator.store.plaid_key.kid

    own = {"Plaid-Verification": token_of(forger, body)}
    stolen = {"Plaid-Verification": token_of(forger, body, headers={"kid": genuine})}
    assert [deliver(address, body, headers).status_code for headers in (own, own, stolen, stolen)] == [401] * 4
    assert (key_reads(env), WebhookDelivery.objects.count()) == (2, 0)  # each ID once


def test_many_made_up_keys_lead_to_few_requests(env: Environment, address: str) -> None:
    body = about_item("one")
    for _ in range(published_keys.MOST_FETCHES + 10):
        deliver(address, body, {"Plaid-Verification": token_of(SigningKey(), body)})

    assert key_reads(env) == published_keys.MOST_FETCHES


def test_an_expired_key_is_rejected(env: Environment, plaid: Integration, address: str) -> None:
    env.simulator.store.plaid_key.expired_at = int(time.time())
    body = about_item("one")

    assert deliver(address, body, signed(env, body)).status_code == 401
    assert not plaid.webhook_secrets.exists()


def test_a_key_that_expires_later_is_rejected_after_a_day(env: Environment, plaid: Integration, address: str) -> None:
    body = about_item("one")
    deliver(address, body, signed(env, body))
    env.simulator.store.plaid_key.expired_at = int(time.time())
    WebhookSecret.objects.update(created_at=timezone.now() - timedelta(hours=25))
    published_keys.forget()
    endpoints.forget()

    assert deliver(address, about_item("two"), signed(env, about_item("two"))).status_code == 401


def test_keys_no_longer_used_are_dropped(env: Environment, plaid: Integration, address: str) -> None:
    body = about_item("one")
    deliver(address, body, signed(env, body))
    WebhookSecret.objects.update(created_at=timezone.now() - timedelta(hours=25))
    env.simulator.store.plaid_key = SigningKey()

    assert deliver(address, about_item("two"), signed(env, about_item("two"))).status_code == 202
    assert [bool(row.revoked_at) for row in plaid.webhook_secrets.order_by("version")] == [True, False]


def test_a_key_that_cannot_be_fetched_now_asks_for_another_attempt(env: Environment, address: str) -> None:
    env.simulator.fail("POST", "/webhook_verification_key/get", "lost_before", 3)
    body = about_item("one")

    assert deliver(address, body, signed(env, body)).status_code == 503
    published_keys.forget()
    assert deliver(address, body, signed(env, body)).status_code == 202


def test_it_is_about_a_link_of_the_helped_integration(env: Environment, plaid: Integration, address: str) -> None:
    link = env.heron_link(item_id="login-required-1", cause=Cause.LOGIN_REQUIRED)
    body = about_item("login-required-1")
    deliver(address, body, signed(env, body))

    delivery_reads.process()

    assert [each.pk for each in Link.objects.filter(deliveries=stored_delivery(plaid))] == [link.pk]


def test_it_adds_no_link_that_we_do_not_have(env: Environment, plaid: Integration, address: str) -> None:
    body = about_item("unknown-item", "ERROR", error={"error_code": "ITEM_LOCKED"})
    deliver(address, body, signed(env, body))

    delivery_reads.process()

    assert stored_delivery(plaid).outcome == DeliveryOutcome.NO_MATCHING_LINK


def test_tokens_in_a_webhook_are_not_stored(env: Environment, plaid: Integration, address: str) -> None:
    said = {"webhook_type": "LINK", "webhook_code": "SESSION_FINISHED", "status": "SUCCESS", "link_session_id": "s-1"}
    body = json.dumps(said | {"link_token": LINK_TOKEN, "public_tokens": [PUBLIC_TOKEN]}, indent=2).encode()
    deliver(address, body, signed(env, body))

    delivery = stored_delivery(plaid)
    assert (delivery.kind, delivery.request_id) == ("session_ended", "s-1")
    assert LINK_TOKEN not in json.dumps(delivery.payload)
    assert PUBLIC_TOKEN not in json.dumps(delivery.payload)


def test_the_simulator_signs_what_we_accept(env: Environment, plaid: Integration, live_server: LiveServer) -> None:
    url = endpoints.renew(plaid, by=None).address
    env.simulator.webhooks(plaid_url=f"{live_server.url}{url}")
    env.heron_link(item_id="login-required-1")
    keys = {"client_id": CLIENT_ID, "secret": SECRET, "access_token": "access-sandbox-login-required-1"}
    fired = env.simulator.url + "/sandbox/item/fire_webhook"
    requests.post(fired, json={**keys, "webhook_code": "PENDING_DISCONNECT"}, timeout=60)

    assert env.simulator.delivered()
    assert {each.topic for each in WebhookDelivery.objects.filter(integration=plaid)} == {"ITEM PENDING_DISCONNECT"}


def test_the_page_shows_the_url_and_no_form_for_a_secret(env: Environment, plaid: Integration) -> None:
    page = env.open(f"/integrations/{plaid.pk}/endpoint/", "adm")
    assert "Not set up" in page.source

    endpoints.renew(plaid, by=None)
    body = about_item("one")
    deliver(WebhookEndpoint.objects.get().address, body, signed(env, body))
    page = env.open(f"/integrations/{plaid.pk}/endpoint/", "adm")

    assert "Verification keys" in page.source
    assert plaid.webhook_secrets.get().fingerprint in page.source
    assert "Revoke" not in page.source
    assert env.post(f"/integrations/{plaid.pk}/endpoint/secrets/", {"secret": "x"}, "adm").status == 404
