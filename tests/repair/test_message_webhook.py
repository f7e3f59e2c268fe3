"""Repair requests through the company's own webhook: a double of it checks what we sign."""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.links.contacts import set_contact
from linkadmin.links.models import Link, RepairRequest
from tests.environment import Environment
from tests.markup import Page
from tests.providers.conftest import Script, reply, send, serve

__all__ = ["serve"]
pytestmark = [pytest.mark.django_db, pytest.mark.database]

Serve = Callable[..., Script]
SECRET = "canary-signing-secret-of-the-webhook"
PHONE = "+525512345678"
URL = re.compile(r"http://testserver(/repair/([-\w]{43})/)")


@pytest.fixture
def link(env: Environment, settings: Settings) -> Link:
    settings.MESSAGE_WEBHOOK_SECRET = SECRET
    found = env.belvo_link("Acme Corp")
    set_contact(found.end_user, email="", phone=PHONE, language="es", by=env.people["ana"])
    return found


def ask(env: Environment, link: Link) -> Page:
    url = f"{link.get_absolute_url()}repair-request/"
    form = env.open(url).form_with("text")
    return env.post(url, form.values | {"channel": "webhook"})


def outcomes() -> list[str]:
    rows = AuditEvent.objects.filter(action="link.repair_request_sent").order_by("seq")
    return [each.outcome for each in rows]


def test_it_gets_the_message_signed(env: Environment, serve: Serve, link: Link, settings: Settings) -> None:
    company = serve(reply(204))
    settings.MESSAGE_WEBHOOK_URL = f"{company.url}/messages?team=1"

    sent = ask(env, link)

    assert "Repair request sent." in env.open(sent.headers["location"]).words
    [received] = company.received
    assert received.path == "/messages?team=1"
    assert (received.body["phone"], received.body["language"]) == (PHONE, "es")
    assert received.body["request_id"] == str(RepairRequest.objects.get().pk)
    signed = f"{received.headers['linkadmin-timestamp']}.{json.dumps(received.body)}".encode()
    good = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert received.headers["linkadmin-signature"] == f"v1={good}"
    [(path, _token)] = URL.findall(received.body["text"])
    assert Client().get(path).status_code == 200
    assert outcomes() == ["requested", "done"]


@pytest.mark.parametrize("status", [400, 422, 429])
def test_rejection_shows_the_status_alone(
    env: Environment, serve: Serve, link: Link, settings: Settings, status: int
) -> None:
    settings.MESSAGE_WEBHOOK_URL = serve(reply(status, {"error": "No such phone"})).url

    page = ask(env, link)

    assert "The server rejected the message" in page.words
    assert f"“status {status}”" in page.words
    assert "No such phone" not in page.words
    assert outcomes() == ["requested", "rejected"]
    assert RepairRequest.objects.get().end == "not_sent"


@pytest.mark.parametrize("answer", ["cut", "500", "302"])
def test_lost_answer_is_unknown_and_never_sent_again(
    env: Environment, serve: Serve, link: Link, settings: Settings, answer: str
) -> None:
    company = serve(send(b"") if answer == "cut" else reply(int(answer), b"", Location="http://127.0.0.1:9/"))
    settings.MESSAGE_WEBHOOK_URL = company.url

    page = env.open(ask(env, link).headers["location"])

    assert "Repair request may not have arrived" in page.words
    assert len(company.received) == 1
    assert outcomes() == ["requested", "unknown"]


def test_inner_addresses_are_never_called(env: Environment, serve: Serve, link: Link, settings: Settings) -> None:
    company = serve(reply(204))
    settings.MESSAGE_WEBHOOK_URL, settings.ALLOW_LOOPBACK_PROVIDERS = company.url, False

    page = ask(env, link)

    assert "The message wasn't sent" in page.words
    assert company.received == []
    assert outcomes() == ["requested", "not_sent"]


def test_token_and_secret_are_in_the_body_alone(
    env: Environment, serve: Serve, link: Link, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    company = serve(reply(204))
    settings.MESSAGE_WEBHOOK_URL = company.url

    page = ask(env, link)

    [(_path, token)] = URL.findall(company.received[0].body["text"])
    stored = [str(row) for model in apps.get_models() for row in model._default_manager.values()]
    logged = [str(each.msg) for each in caplog.records]
    assert logged
    assert not [each for each in (page.source, *stored, *logged) if token in each or SECRET in each]
    assert not [line for line in logged if PHONE in line]
