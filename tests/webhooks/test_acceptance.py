"""The webhook endpoint: genuine deliveries are stored once and answered; nothing else gets in."""

import json
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any, NoReturn
from unittest.mock import ANY

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from linkadmin.database import driver_rows
from linkadmin.integrations.models import Integration
from linkadmin.providers.http.redaction import NO_SECRETS
from linkadmin.webhooks import arrivals, endpoints, payloads
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment

from .webhook_sender import (
    AUTHORIZATION,
    FORGED,
    PASSED_ON,
    belvo_webhook,
    deliver,
    heron_webhook,
    open_endpoint,
    send,
    signed,
    stored_delivery,
)

HEADERS = {"host": "testserver", "authorization": AUTHORIZATION}

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def address(env: Environment) -> str:
    return open_endpoint(env.belvo)


def test_belvo_webhook_is_stored_with_its_fields(env: Environment, address: str) -> None:
    answer = deliver(address, belvo_webhook(link_id="link-1", request_id="request-1"))

    delivery = stored_delivery(env.belvo)
    assert (answer.status_code, answer.content) == (202, b"")
    assert (delivery.kind, delivery.topic) == ("link_trouble", "LINK invalid_credentials")
    assert (delivery.remote_link_id, delivery.end_user_id, delivery.request_id) == ("link-1", "cus-1", "request-1")
    assert (delivery.state, delivery.outcome, delivery.copies) == ("pending", "", 1)


def test_heron_webhook_is_stored_with_its_fields(env: Environment) -> None:
    body = heron_webhook(end_user_id="cus-7")

    answer = deliver(open_endpoint(env.heron), body, signed(body))

    delivery = stored_delivery(env.heron)
    assert answer.status_code == 202
    assert (delivery.kind, delivery.remote_link_id, delivery.end_user_id) == ("link_trouble", "item-1", "cus-7")
    assert delivery.payload == json.loads(body)


def test_copies_of_a_delivery_are_counted(env: Environment, address: str) -> None:
    body, other = belvo_webhook(), belvo_webhook()

    answers = [deliver(address, each).status_code for each in (body, other, body, body)]

    assert answers == [202] * 4
    assert sorted(WebhookDelivery.objects.values_list("copies", flat=True)) == [1, 3]


def test_copy_long_after_processing_is_processed_again(env: Environment, address: str) -> None:
    body = belvo_webhook()
    deliver(address, body)
    WebhookDelivery.objects.update(
        state="done", outcome="no_change", processed_at=timezone.now() - timedelta(minutes=9)
    )

    deliver(address, body)
    assert stored_delivery(env.belvo).state == "done"

    WebhookDelivery.objects.update(processed_at=timezone.now() - timedelta(minutes=11))
    deliver(address, body)
    assert (stored_delivery(env.belvo).state, stored_delivery(env.belvo).copies) == ("pending", 3)


def test_same_webhook_to_two_integrations_is_two_deliveries(env: Environment, address: str) -> None:
    second = Integration.objects.create(provider="belvo", name="Second", base_url=env.simulator.url)
    body = belvo_webhook()

    deliver(address, body)
    deliver(open_endpoint(second), body)

    assert set(WebhookDelivery.objects.values_list("integration", "copies")) == {(env.belvo.pk, 1), (second.pk, 1)}


@pytest.mark.parametrize(
    "headers", [FORGED, {}, {"authorization": ""}, {"authorization": AUTHORIZATION.upper()}, {"authorization": "ÿ"}]
)
def test_unsigned_request_is_rejected_without_detail(address: str, headers: dict[str, str]) -> None:
    answer = deliver(address, belvo_webhook(), headers)

    assert (answer.status_code, answer.content) == (401, b"")
    assert not WebhookDelivery.objects.exists()


def test_altered_payload_is_rejected(env: Environment) -> None:
    body = heron_webhook()

    answer = deliver(open_endpoint(env.heron), body.replace(b"item-1", b"item-2"), signed(body))

    assert answer.status_code == 401
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("changed", ["/webhooks/belvo/{other}/", "/webhooks/heron/{path}/", "/webhooks/none/{path}/"])
def test_unknown_url_answers_like_a_forgery(address: str, changed: str) -> None:
    path = address.rstrip("/").rpartition("/")[2]

    answer = deliver(changed.format(path=path, other=path[::-1]), belvo_webhook())

    assert (answer.status_code, answer.content) == (401, b"")


def test_endpoint_without_a_secret_accepts_nothing(env: Environment) -> None:
    endpoint = endpoints.renew(env.belvo, by=None)

    assert deliver(endpoint.address, belvo_webhook(), {"authorization": ""}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_accepted(address: str, method: str) -> None:
    environ = RequestFactory().generic(method, address, headers=HEADERS).environ

    assert (send(environ).status_code, send(environ)["Allow"]) == (405, "POST")


def test_body_is_limited_in_size(env: Environment, address: str) -> None:
    body = belvo_webhook(padding="")
    padding = 64 * 1024 - len(body)
    fits, too_long = belvo_webhook(padding="x" * padding), belvo_webhook(padding="x" * (padding + 1))

    assert (len(fits), deliver(address, fits).status_code) == (64 * 1024, 202)
    assert deliver(address, too_long).status_code == 413
    assert stored_delivery(env.belvo).size == 64 * 1024


def test_chunked_body_is_read(env: Environment, address: str) -> None:
    body = belvo_webhook()

    environ = RequestFactory().post(address, headers=HEADERS).environ
    del environ["CONTENT_LENGTH"]
    answer = send(environ | {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True})

    assert answer.status_code == 202
    assert stored_delivery(env.belvo).size == len(body)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'{"webhook_type": "LINK"}', b'{"a": NaN}', b"\xff\xfe", b"[" * 40_000]
)
def test_genuine_but_unreadable_payload_is_stored_as_invalid(env: Environment, address: str, body: bytes) -> None:
    answer = deliver(address, body)

    delivery = stored_delivery(env.belvo)
    assert answer.status_code == 202
    assert (delivery.state, delivery.outcome, delivery.payload) == ("done", "invalid_payload", {})


def test_unrecognized_type_is_stored(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook("brand_new", type="WEATHER"))

    assert (stored_delivery(env.belvo).topic, stored_delivery(env.belvo).is_known) == ("WEATHER brand_new", False)


def test_texts_in_a_payload_are_cleaned_and_cut(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook(data={"a\u202e\u0000b": "bad\u0000 \u202eword\ud800", "long": ["x" * 600], "n": 7}))

    assert stored_delivery(env.belvo).payload["data"] == {"ab": "bad word", "long": ["x" * 500], "n": 7}


def test_number_that_postgresql_cannot_hold_is_stored_as_read(env: Environment, address: str) -> None:
    body = belvo_webhook(data={"n": 7}).replace(b"7}", b"1e-99999}")

    assert deliver(address, body).status_code == 202
    assert payloads.cleaned(body, NO_SECRETS) == json.dumps(json.loads(body))
    assert stored_delivery(env.belvo).payload["data"] == {"n": 0.0}


def test_secret_repeated_in_a_payload_is_redacted(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook(data={"headers": f"you sent {AUTHORIZATION}"}))

    assert stored_delivery(env.belvo).payload["data"] == {"headers": "withheld"}


def test_delivery_costs_one_statement_beside_the_lookup(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inserts: list[str] = []

    def executed(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        inserts.append(sql)
        return driver_rows(sql, params)

    monkeypatch.setattr(arrivals, "driver_rows", executed)
    with CaptureQueriesContext(connection) as first:
        deliver(address, belvo_webhook())
    with CaptureQueriesContext(connection) as next_one:
        deliver(address, belvo_webhook())

    assert [query["sql"].split()[0] for query in first] == ["SELECT"]
    assert (len(next_one), len(inserts)) == (0, 2)


@pytest.mark.parametrize(
    "headers", [{"host": "elsewhere.example"}, {"host": "testserver", "x-forwarded-proto": "http"}]
)
def test_request_for_another_host_or_without_tls_is_left_to_django(
    env: Environment, address: str, settings: Settings, headers: dict[str, str]
) -> None:
    settings.SECURE_SSL_REDIRECT = "x-forwarded-proto" in headers
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    answer = deliver(address, belvo_webhook(), headers | {"authorization": AUTHORIZATION})

    assert answer.status_code == PASSED_ON
    assert Client(headers=headers).post(address).status_code == (301 if settings.SECURE_SSL_REDIRECT else 400)
    assert not WebhookDelivery.objects.exists()


def test_request_that_came_over_tls_is_taken(env: Environment, address: str, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, ("HTTP_X_FORWARDED_PROTO", "https")

    headers = {"x-forwarded-proto": "https", "authorization": AUTHORIZATION}

    assert deliver(address, belvo_webhook(), headers).status_code == 202


def test_cookies_are_not_read(env: Environment, address: str) -> None:
    headers = {"authorization": AUTHORIZATION, "cookie": f"session={env.client().cookies['session'].value}"}

    with CaptureQueriesContext(connection) as asked:
        answer = deliver(address, belvo_webhook(), headers)

    assert answer.status_code == 202
    assert not [query for query in asked if "accounts_staffsession" in query["sql"]]
    assert not answer.cookies


def test_response_has_our_usual_headers(address: str) -> None:
    answer = deliver(address, belvo_webhook())

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Request-Id"] == ANY


def test_provider_is_asked_to_retry_while_the_database_is_down(address: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrivals, "driver_rows", away)
        answer = deliver(address, belvo_webhook())

    assert (answer.status_code, answer.content, answer["Retry-After"]) == (503, b"", "60")
    assert deliver(address, belvo_webhook()).status_code == 202


def away(sql: str, params: object) -> NoReturn:
    raise OperationalError("server closed the connection unexpectedly")


def test_bug_of_ours_is_logged_without_the_secret_url(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(arrivals, "store", lambda arrival: 1 / 0)

    answer = deliver(address, belvo_webhook())

    assert answer.status_code == 500
    assert "webhooks.failed" in caplog.text
    assert address.split("/")[3] not in caplog.text
