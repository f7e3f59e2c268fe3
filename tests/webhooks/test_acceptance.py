"""Where a provider leaves its messages: genuine ones are kept, once, and answered; nothing else gets in."""

import json
from datetime import timedelta
from io import BytesIO
from unittest.mock import ANY

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.webhooks import endpoints
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment

from .webhook_sender import (
    AUTHORIZATION,
    FORGED,
    belvo_webhook,
    deliver,
    heron_webhook,
    open_endpoint,
    signed,
    stored_delivery,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def address(env: Environment) -> str:
    return open_endpoint(env.belvo)


def test_message_of_belvo_is_kept_as_what_it_says(env: Environment, address: str) -> None:
    answer = deliver(address, belvo_webhook(link_id="link-1", request_id="request-1"))

    delivery = stored_delivery(env.belvo)
    assert (answer.status_code, answer.content) == (202, b"")
    assert (delivery.kind, delivery.topic) == ("link_trouble", "LINK invalid_credentials")
    assert (delivery.remote_link_id, delivery.end_user_id, delivery.request_id) == ("link-1", "cus-1", "request-1")
    assert (delivery.state, delivery.outcome, delivery.copies) == ("pending", "", 1)


def test_message_of_heron_is_kept_as_what_it_says(env: Environment) -> None:
    body = heron_webhook(end_user_id="cus-7")

    answer = deliver(open_endpoint(env.heron), body, signed(body))

    delivery = stored_delivery(env.heron)
    assert answer.status_code == 202
    assert (delivery.kind, delivery.remote_link_id, delivery.end_user_id) == ("link_trouble", "item-1", "cus-7")
    assert delivery.payload == json.loads(body)


def test_copies_of_a_message_are_counted(env: Environment, address: str) -> None:
    body, other = belvo_webhook(), belvo_webhook()

    answers = [deliver(address, each).status_code for each in (body, other, body, body)]

    assert answers == [202] * 4
    assert sorted(WebhookDelivery.objects.values_list("copies", flat=True)) == [1, 3]


def test_copy_long_after_the_message_was_worked_may_tell_of_something_new(env: Environment, address: str) -> None:
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


def test_same_message_to_two_integrations_is_two_messages(env: Environment, address: str) -> None:
    second = Integration.objects.create(provider="belvo", name="Second", base_url=env.simulator.url)
    body = belvo_webhook()

    deliver(address, body)
    deliver(open_endpoint(second), body)

    assert set(WebhookDelivery.objects.values_list("integration", "copies")) == {(env.belvo.pk, 1), (second.pk, 1)}


@pytest.mark.parametrize(
    "headers", [FORGED, {}, {"authorization": ""}, {"authorization": AUTHORIZATION.upper()}, {"authorization": "ÿ"}]
)
def test_message_that_proves_nothing_is_refused_without_detail(address: str, headers: dict[str, str]) -> None:
    answer = deliver(address, belvo_webhook(), headers)

    assert (answer.status_code, answer.content) == (401, b"")
    assert not WebhookDelivery.objects.exists()


def test_message_changed_on_its_way_is_refused(env: Environment) -> None:
    body = heron_webhook()

    answer = deliver(open_endpoint(env.heron), body.replace(b"item-1", b"item-2"), signed(body))

    assert answer.status_code == 401
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("changed", ["/webhooks/belvo/{other}/", "/webhooks/heron/{path}/", "/webhooks/none/{path}/"])
def test_address_that_is_none_answers_as_to_a_forgery(address: str, changed: str) -> None:
    path = address.rstrip("/").rpartition("/")[2]

    answer = deliver(changed.format(path=path, other=path[::-1]), belvo_webhook())

    assert (answer.status_code, answer.content) == (401, b"")


def test_endpoint_without_a_secret_takes_nothing(env: Environment) -> None:
    endpoint = endpoints.renew(env.belvo, by=None)

    assert deliver(endpoint.address, belvo_webhook(), {"authorization": ""}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_post_is_taken(address: str, method: str) -> None:
    assert Client().generic(method, address, headers={"authorization": AUTHORIZATION}).status_code == 405


def test_as_many_bytes_are_taken_as_are_allowed(env: Environment, address: str) -> None:
    body = belvo_webhook(padding="")
    padding = 64 * 1024 - len(body)
    fits, too_long = belvo_webhook(padding="x" * padding), belvo_webhook(padding="x" * (padding + 1))

    assert (len(fits), deliver(address, fits).status_code) == (64 * 1024, 202)
    assert deliver(address, too_long).status_code == 413
    assert stored_delivery(env.belvo).size == 64 * 1024


def test_body_that_comes_in_chunks_is_read(env: Environment, address: str) -> None:
    body = belvo_webhook()

    environ = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
    answer = deliver_raw(address, body, environ)

    assert answer == 202
    assert stored_delivery(env.belvo).size == len(body)


def deliver_raw(address: str, body: bytes, environ: dict[str, object]) -> int:
    """Post as a server does that has no length to tell of."""
    client = Client()
    request = client._base_environ(PATH_INFO=address, REQUEST_METHOD="POST", HTTP_AUTHORIZATION=AUTHORIZATION)
    given = request | environ | {"wsgi.input": BytesIO(body)}
    return client.request(**{name: value for name, value in given.items() if value is not None}).status_code


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"null", b'{"webhook_type": "LINK"}', b'{"a": NaN}', b"\xff\xfe", b"[" * 40_000]
)
def test_genuine_message_that_cannot_be_read_is_kept_as_such(env: Environment, address: str, body: bytes) -> None:
    answer = deliver(address, body)

    delivery = stored_delivery(env.belvo)
    assert answer.status_code == 202
    assert (delivery.state, delivery.outcome, delivery.payload) == ("done", "invalid_payload", {})


def test_message_of_a_type_that_nobody_knows_is_kept(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook("brand_new", type="WEATHER"))

    assert (stored_delivery(env.belvo).topic, stored_delivery(env.belvo).is_known) == ("WEATHER brand_new", False)


def test_text_in_a_message_is_cleaned_and_cut(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook(data={"a\u202e\u0000b": "bad\u0000 \u202eword\ud800", "long": ["x" * 600], "n": 7}))

    assert stored_delivery(env.belvo).payload["data"] == {"ab": "bad word", "long": ["x" * 500], "n": 7}


def test_secret_that_a_message_repeats_is_withheld(env: Environment, address: str) -> None:
    deliver(address, belvo_webhook(data={"headers": f"you sent {AUTHORIZATION}"}))

    assert stored_delivery(env.belvo).payload["data"] == {"headers": "withheld"}


def test_message_costs_one_statement_beside_the_look_at_its_address(address: str) -> None:
    with CaptureQueriesContext(connection) as first:
        deliver(address, belvo_webhook())
    with CaptureQueriesContext(connection) as next_one:
        deliver(address, belvo_webhook())

    assert [query["sql"].split()[0] for query in first] == ["SELECT", "INSERT"]
    assert [query["sql"].split()[0] for query in next_one] == ["INSERT"]


def test_cookies_of_a_stranger_are_not_looked_at(env: Environment, address: str) -> None:
    headers = {"authorization": AUTHORIZATION, "cookie": f"session={env.client().cookies['session'].value}"}

    with CaptureQueriesContext(connection) as asked:
        answer = deliver(address, belvo_webhook(), headers)

    assert answer.status_code == 202
    assert not [query for query in asked if "accounts_staffsession" in query["sql"]]
    assert not answer.cookies


def test_answer_has_the_headers_of_every_answer(address: str) -> None:
    answer = deliver(address, belvo_webhook())

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Request-Id"] == ANY


def test_provider_shall_send_again_while_the_database_is_away(address: str) -> None:
    with connection.execute_wrapper(away):
        answer = deliver(address, belvo_webhook())

    assert (answer.status_code, answer.content) == (503, b"")
    assert deliver(address, belvo_webhook()).status_code == 202


def away(execute: object, sql: str, params: object, many: bool, context: object) -> None:
    raise OperationalError("server closed the connection unexpectedly")
