"""Invitations by e-mail, sent to real mail servers on this machine: sent, rejected, not sent, or unknown."""

import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, Envelope
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts.external import mail
from linkadmin.accounts.models import Invitation, StaffSession, User
from linkadmin.audit.models import AuditEvent
from linkadmin.environment import mail_server
from tests.environment import Environment
from tests.mail_server import Post, Start, mail_servers, use
from tests.markup import Page, read
from tests.providers.test_tls_faults import KEY, openssl

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NEW = "another horse, another battery"
ADDRESS = "cleo@example.com"
LONG = {"smtp": b"220-Hello\r\n" * 1_500, "smtps": b"\x16\x03\x03\x3f\xff" + bytes(0x3FFF)}  # a greeting, a handshake


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    with mail_servers(settings) as start:
        yield start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls")
    openssl(path, "req", "-x509", *KEY, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", "mail.key", "-out", "mail.pem")  # fmt: skip
    return path


@pytest.fixture
def server_tls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "mail.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    return context


def code_in(text: str) -> str:
    [code] = set(re.findall(r"http://testserver/accounts/join/#([\w-]{43})", text))
    return str(code)


def invite(env: Environment, email: str = ADDRESS) -> Page:
    values = {"username": "cleo", "name": "Cleo", "email": email, "roles": "manager"}
    return env.post("/staff/new/", values, "adm")


def send(env: Environment, code: str, username: str = "cleo") -> Page:
    person = User.objects.get(username=username)
    return env.post(f"/staff/{person.pk}/invitation/mail/", {"code": code}, "adm")


def outcomes() -> list[str]:
    rows = AuditEvent.objects.filter(action="staff.invitation_mailed").order_by("seq")
    assert {(each.actor, str(each.details)) for each in rows} <= {("adm", "{}")}
    return [each.outcome for each in rows]


def test_invited_colleague_gets_the_link_by_mail_and_signs_in(env: Environment, start: Start) -> None:
    post = start()
    page = invite(env)
    assert "Send by e-mail" in page.words
    assert ADDRESS in page.words

    sent = send(env, code_in(page.source))
    assert f"Invitation sent to {ADDRESS}." in env.open(sent.headers["location"], "adm").words
    [message] = post.received
    assert re.search(r"^From: linkadmin@links.example.com\r?$", message, re.MULTILINE)
    assert re.search(r"^To: cleo@example.com\r?$", message, re.MULTILINE)
    read(Client().post("/accounts/join/", {"code": code_in(message), "password": NEW}))

    assert User.objects.get(username="cleo").check_password(NEW)
    assert outcomes() == ["requested", "done"]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+tls"])
def test_password_of_the_mail_server_travels_encrypted(
    env: Environment, start: Start, server_tls: ssl.SSLContext, scheme: str
) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    tls = {"ssl_context": server_tls} if scheme == "smtps" else {"tls_context": server_tls, "require_starttls": True}
    post = start(scheme, "linkadmin:p%40ss@", authenticator=check, auth_require_tls=scheme != "smtps", **tls)

    send(env, code_in(invite(env).source))

    assert len(post.received) == 1
    assert seen == [(b"linkadmin", b"p@ss")]


def assert_link_is_still_shown(page: Page, code: str) -> None:
    assert page.status == 200
    assert code_in(page.source) == code
    assert "Send by e-mail" in page.words


@pytest.mark.parametrize("answer", ["recipient", "message"])
def test_rejection_is_shown_in_the_mail_servers_words_with_the_link(
    env: Environment, start: Start, answer: str
) -> None:
    start(post=Post(**{answer: "550 5.1.1 No such user <here>"}))
    code = code_in(invite(env).source)

    page = send(env, code)

    assert "The mail server rejected the e-mail" in page.words
    assert "“550 5.1.1 No such user <here>”" in page.words
    assert_link_is_still_shown(page, code)
    assert outcomes() == ["requested", "rejected"]


def test_mail_server_that_echoes_the_link_is_not_quoted(env: Environment, start: Start) -> None:
    start(post=Post(echo="Spam:"))
    code = code_in(invite(env).source)

    page = send(env, code)

    assert "“withheld”" in page.words
    assert_link_is_still_shown(page, code)


@pytest.mark.parametrize("trouble", ["nobody listens", "silent", "without STARTTLS", "unknown certificate", "password"])
def test_what_fails_before_the_message_is_not_sent(
    env: Environment,
    start: Start,
    settings: Settings,
    server_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.5 if trouble == "silent" else 60)
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if trouble == "without STARTTLS":
            start("smtp+tls", post=post)
        elif trouble == "unknown certificate":
            monkeypatch.delenv("SSL_CERT_FILE")
            start("smtps", post=post, ssl_context=server_tls)
        elif trouble == "password":
            no = AuthResult(success=False, handled=False)
            start(who="me:wrong@", post=post, authenticator=lambda *_: no, auth_require_tls=False)
        else:
            use(settings, f"smtp://127.0.0.1:{listener.getsockname()[1]}")
        if trouble == "nobody listens":
            listener.close()
        code = code_in(invite(env).source)
        page = send(env, code)

    words = {
        "nobody listens": "Connection refused",
        "silent": "timed out",
        "without STARTTLS": "STARTTLS extension not supported by server",
        "unknown certificate": "certificate verify failed",
        "password": "535",
    }
    assert "The e-mail wasn't sent" in page.words
    assert words[trouble] in page.words
    assert_link_is_still_shown(page, code)
    assert post.received == []
    assert outcomes() == ["requested", "not_sent"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_server_that_sends_a_little_now_and_then_is_left_in_time(
    env: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(mail, "SECONDS", 600)
    monkeypatch.setattr(mail, "SECONDS_IN_ALL", 0.5)
    with ThreadPoolExecutor() as threads, socket.create_server(("127.0.0.1", 0)) as listener:
        left = threads.submit(trickle, listener, LONG[scheme])
        use(settings, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
        code = code_in(invite(env).source)

        page = send(env, code)

        assert left.result() < len(LONG[scheme])
    assert "The e-mail wasn't sent" in page.words
    assert "timed out" in page.words
    assert_link_is_still_shown(page, code)
    assert outcomes() == ["requested", "not_sent"]


def test_greeting_that_is_cut_off_has_sent_nothing(
    env: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived looks like a whole line."""
    monkeypatch.setattr(mail, "SECONDS", 600)
    monkeypatch.setattr(mail, "SECONDS_IN_ALL", 0.5)
    with ThreadPoolExecutor() as threads, socket.create_server(("127.0.0.1", 0)) as listener:
        left = threads.submit(greet_by_half, listener)
        use(settings, f"smtp://127.0.0.1:{listener.getsockname()[1]}")

        page = send(env, code_in(invite(env).source))

        assert left.result() == b""
    assert "The e-mail wasn't sent" in page.words
    assert outcomes() == ["requested", "not_sent"]


def greet_by_half(listener: socket.socket) -> bytes:
    connection, _address = listener.accept()
    with connection:
        connection.sendall(b"220")
        return connection.recv(1)


def trickle(listener: socket.socket, content: bytes) -> int:
    """Send single bytes. Return how many were sent before the other side left."""
    connection, _address = listener.accept()
    with connection:
        for sent, byte in enumerate(content):
            time.sleep(0.01)
            try:
                connection.send(bytes([byte]))
            except OSError:
                return sent
    return len(content)


def test_lost_confirmation_is_unknown(env: Environment, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    class Vanishing(Post):
        async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
            server.transport.abort()
            return await super().handle_DATA(server, session, envelope)

    start(post=Vanishing())
    code = code_in(invite(env).source)

    page = send(env, code)

    assert "We don't know whether the e-mail was sent" in page.words
    assert_link_is_still_shown(page, code)
    assert outcomes() == ["requested", "unknown"]


@pytest.mark.parametrize("code", ["", "x" * 43, "replaced", "of another"])
def test_only_a_link_of_this_person_that_works_is_sent(env: Environment, start: Start, code: str) -> None:
    post = start()
    first = code_in(invite(env).source)
    other = User.objects.get(username="cleo" if code == "replaced" else "ben")
    env.post(f"/staff/{other.pk}/invitation/", name="adm")

    page = send(env, first if code in ("replaced", "of another") else code, "cleo" if code != "of another" else "ben")

    assert "This link can't be used anymore" in env.open(page.headers["location"], "adm").words
    assert post.received == []
    assert outcomes() == []


@pytest.mark.parametrize("lacks", ["mail server", "e-mail"])
def test_nothing_is_offered_without_a_mail_server_or_an_address(env: Environment, start: Start, lacks: str) -> None:
    if lacks == "e-mail":
        start()

    page = invite(env, "")

    assert "Send by e-mail" not in page.words
    assert ("E-mail" in env.open("/staff/new/", "adm").words) == (lacks == "e-mail")


def test_code_is_in_the_message_alone(env: Environment, start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    start(post=Post(recipient="550 no"))
    code = code_in(invite(env).source)

    send(env, code)

    stored = [str(row) for model in (Invitation, AuditEvent, StaffSession, User) for row in model.objects.values()]
    assert not [row for row in stored if code in row]
    logged = [str(each.msg) for each in caplog.records if each.name != "mail.log"]  # the mail server's own
    assert logged
    assert not [line for line in logged if code in line or ADDRESS in line]
    assert not [row for row in map(str, AuditEvent.objects.values()) if ADDRESS in row]


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtps://mail:many"])
def test_url_that_names_no_mail_server_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LINKADMIN_EMAIL_URL", url)

    with pytest.raises(Exception, match="LINKADMIN_EMAIL_URL must be like") as error:
        mail_server("LINKADMIN_EMAIL_URL")
    assert url not in str(error.value).replace("smtps://user:password@host:465", "")
