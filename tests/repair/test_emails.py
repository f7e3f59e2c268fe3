"""Repair requests by e-mail, sent to real mail servers on this machine: sent, rejected, not sent, or unknown."""

import base64
import email
import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope
from django.apps import apps
from django.test import Client
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.environment import Image
from linkadmin.links.contacts import set_contact
from linkadmin.links.models import Link, RepairRequest
from tests.environment import Environment
from tests.mail_server import Post, Start, mail_servers, use
from tests.markup import Page

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ADDRESS = "ana.perez@acme.example"
URL = re.compile(r"http://testserver(/repair/([-\w]{43})/)")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    with mail_servers(settings) as start:
        yield start


@pytest.fixture
def link(env: Environment) -> Link:
    found = env.belvo_link("Acme Corp")
    reach(env, found)
    return found


def reach(env: Environment, link: Link, address: str = ADDRESS, language: str = "en") -> None:
    set_contact(link.end_user, email=address, phone="", language=language, by=env.people["ana"])


def url_of(link: Link) -> str:
    return f"{link.get_absolute_url()}repair-request/"


def send(env: Environment, link: Link, **chosen: str) -> Page:
    form = env.open(url_of(link)).form_with("text")
    return env.post(url_of(link), form.values | {"channel": "email"} | chosen)


def parsed(source: str) -> EmailMessage:
    message = email.message_from_string(source, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found
    return str(found.get_content())


def outcomes() -> list[str]:
    rows = AuditEvent.objects.filter(action="link.repair_request_sent").order_by("seq")
    return [each.outcome for each in rows]


def test_customer_gets_the_message_and_opens_its_url(env: Environment, start: Start, link: Link) -> None:
    post = start()

    sent = send(env, link)

    assert "Repair request sent." in env.open(sent.headers["location"]).words
    [message] = map(parsed, post.received)
    assert message["To"] == ADDRESS
    assert message["From"] == "Linkadmin <linkadmin@links.example.com>"
    assert message["Subject"] == f"Linkadmin: reconnect {link.bank}"
    text, html = part(message, "plain"), part(message, "html")
    assert "no longer gets data from" in text
    [(path, token)] = URL.findall(text)
    assert html.count(token) == 2
    assert "Acme" not in text + html
    assert Client().get(path).status_code == 200
    assert outcomes() == ["requested", "done"]
    assert RepairRequest.objects.get().outcome == "done"


def test_message_is_in_the_customers_language_and_the_companys_tone(
    env: Environment, start: Start, link: Link, settings: Settings
) -> None:
    settings.COMPANY_NAME, settings.MESSAGE_TONE = "Crédito Fácil", "friendly"
    reach(env, link, language="es")
    post = start()

    send(env, link)

    [message] = map(parsed, post.received)
    assert message["From"] == "Crédito Fácil <linkadmin@links.example.com>"
    assert 'lang="es"' in part(message, "html")
    assert "Hola:" in part(message, "plain")
    assert message["Subject"].startswith("Crédito Fácil: vuelva a conectar ")


def test_logo_is_in_the_message_and_on_the_customers_pages(
    env: Environment, start: Start, link: Link, settings: Settings
) -> None:
    settings.COMPANY_LOGO = Image("png", PIXEL)
    post = start()

    send(env, link)

    [message] = map(parsed, post.received)
    [logo] = [each for each in message.walk() if each.get_content_type() == "image/png"]
    assert logo.get_payload(decode=True) == PIXEL
    assert f'src="cid:{logo["Content-ID"][1:-1]}"' in part(message, "html")
    [(path, _token)] = URL.findall(part(message, "plain"))
    customer = Client()
    assert 'src="/repair/logo/"' in customer.get(path).content.decode()
    shown = customer.get("/repair/logo/")
    assert (shown.content, shown.headers["Content-Type"]) == (PIXEL, "image/png")


@pytest.mark.parametrize("answer", ["recipient", "message"])
def test_rejection_is_quoted_and_ends_the_request(env: Environment, start: Start, link: Link, answer: str) -> None:
    start(post=Post(**{answer: "550 5.1.1 No such user <here>"}))

    page = send(env, link, text="A text of our own")

    assert "The server rejected the message" in page.words
    assert "“550 5.1.1 No such user <here>”" in page.words
    assert page.form_with("text").values["text"] == "A text of our own"
    assert outcomes() == ["requested", "rejected"]
    assert "Repair request ended" in env.open(link.get_absolute_url()).words
    assert RepairRequest.objects.get().end == "not_sent"


def test_message_that_never_arrived_needs_no_reason_for_another(env: Environment, start: Start, link: Link) -> None:
    start(post=Post(recipient="550 no"))
    send(env, link)
    post = start()

    send(env, link)

    assert len(post.received) == 1


def test_mail_server_that_echoes_the_url_is_not_quoted(env: Environment, start: Start, link: Link) -> None:
    start(post=Post(echo="Spam:"))

    page = send(env, link)

    assert "“withheld”" in page.words


def test_unreachable_mail_server_has_sent_nothing(env: Environment, settings: Settings, link: Link) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    use(settings, f"smtp://127.0.0.1:{port}")

    page = send(env, link)

    assert "The message wasn't sent" in page.words
    assert "The customer has received nothing." in page.words
    assert outcomes() == ["requested", "not_sent"]


def test_lost_confirmation_is_unknown_and_the_url_works(env: Environment, start: Start, link: Link) -> None:
    class Vanishing(Post):
        async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
            server.transport.abort()
            return await super().handle_DATA(server, session, envelope)

    post = start(post=Vanishing())

    page = env.open(send(env, link).headers["location"])

    assert "We don't know whether the repair request was sent." in page.words
    assert "Repair request may not have arrived" in page.words
    assert outcomes() == ["requested", "unknown"]
    [(path, _token)] = URL.findall(part(parsed(post.received[0]), "plain"))
    customer = Client()
    customer.post(path, headers={"Origin": "http://testserver"})
    assert "may not have arrived" not in env.open(link.get_absolute_url()).words


def die(*_args: Any, **_named: Any) -> None:
    raise SystemExit


def test_message_whose_process_died_may_not_have_arrived(
    env: Environment, start: Start, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setattr("linkadmin.operations.presentation.repair_requests.SENDING_LASTS", timedelta(seconds=-1))
    monkeypatch.setattr("linkadmin.repair.views.staff.deliver", die)

    with pytest.raises(SystemExit):
        send(env, link)

    assert "Repair request may not have arrived" in env.open(link.get_absolute_url()).words
    assert outcomes() == ["requested"]


@pytest.mark.parametrize("lacks", ["mail server", "e-mail"])
def test_e_mail_is_offered_with_a_mail_server_and_an_address(
    env: Environment, start: Start, link: Link, lacks: str
) -> None:
    if lacks == "e-mail":
        post = start()
        reach(env, link, "")

    page = env.open(url_of(link))
    refused = send(env, link)

    assert "Send by e-mail" not in page.words
    assert ("This customer has no e-mail address." in page.words) == (lacks == "e-mail")
    assert refused.status == 422
    assert not RepairRequest.objects.exists()
    assert lacks != "e-mail" or post.received == []


def test_token_is_in_the_message_alone(
    env: Environment, start: Start, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post = start()

    page = send(env, link)

    [(_path, token)] = URL.findall(part(parsed(post.received[0]), "plain"))
    assert token not in page.source + str(page.headers)
    stored = [str(row) for model in apps.get_models() for row in model._default_manager.values()]
    assert not [row for row in stored if token in row]
    logged = [str(each.msg) for each in caplog.records if each.name != "mail.log"]  # the mail server's own
    assert logged
    assert not [line for line in logged if token in line or ADDRESS in line]
    assert not [row for row in map(str, AuditEvent.objects.values()) if ADDRESS in row]
