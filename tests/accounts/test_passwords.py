"""Which passwords people may choose, wherever they choose one, and what a range service learns about them."""

import hashlib
import logging
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts.external import leaked_passwords
from linkadmin.accounts.models import User
from tests.environment import PASSWORD, Environment
from tests.markup import Page, read
from tests.providers.conftest import Behaviour, Script, reply, send, serve  # noqa: F401
from tests.providers.faults import stall

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NEW = "another horse, another battery"
DIGEST = hashlib.sha1(NEW.encode()).hexdigest().upper()  # noqa: S324
LEAKED = "This password appeared in a data breach"
OTHERS = b"0018A45C4D1DEF81644B54AB7F969B88D65:21\r\n011053FD0102E94D6AE2F8B8316DA55E0D6:0\r\n"
Serve = Callable[..., Script]
Range = Callable[..., Script]


def known(count: int = 3, *, digest: str = DIGEST) -> Behaviour:
    return reply(200, OTHERS + f"{digest[5:]}:{count}\r\n".encode(), Content_Type="text/plain")


@pytest.fixture
def range_service(serve: Serve, settings: Settings) -> Range:  # noqa: F811
    """Start a service with scripted responses, and check passwords against it."""

    def start(*behaviours: Behaviour) -> Script:
        script = serve(*behaviours)
        options = {"url": script.url}
        validator = {"NAME": "linkadmin.accounts.external.leaked_passwords.LeakedPasswordValidator", "OPTIONS": options}
        settings.AUTH_PASSWORD_VALIDATORS = [*settings.AUTH_PASSWORD_VALIDATORS, validator]
        return script

    return start


def choose_by_invitation(env: Environment, password: str) -> Page:
    page = env.post(f"/staff/{env.people['ana'].pk}/invitation/", name="adm")
    code = page.source.partition("/accounts/join/#")[2].partition("<")[0]
    return read(Client().post("/accounts/join/", {"code": code, "password": password}))


def change_own(env: Environment, password: str, *, old: str = PASSWORD) -> Page:
    values = {"oldpassword": old, "password1": password, "password2": password}
    return read(env.client().post("/accounts/password/", values))


WAYS = {"invitation": choose_by_invitation, "change": change_own}
WEAK = {
    "short": ("fourteen chars", "too short"),
    "common": ("1q2w3e4r5t6y7u8i9o0p", "too common"),
    "like the name": ("ana ben cleo dan", "too similar"),
}


def password_of(env: Environment) -> str:
    return User.objects.get(pk=env.people["ana"].pk).password


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("weakness", WEAK)
def test_weak_password_is_rejected_wherever_it_is_chosen(env: Environment, way: str, weakness: str) -> None:
    User.objects.filter(username="ana").update(name="Ana Ben Cleo Dan")
    before = password_of(env)
    password, words = WEAK[weakness]

    assert words in WAYS[way](env, password).words
    assert password_of(env) == before


@pytest.mark.parametrize("way", WAYS)
def test_leaked_password_is_rejected_wherever_it_is_chosen(env: Environment, range_service: Range, way: str) -> None:
    range_service(known())
    before = password_of(env)

    assert LEAKED in WAYS[way](env, NEW).words
    assert password_of(env) == before


def test_leaked_password_is_rejected_on_the_command_line(range_service: Range, monkeypatch: pytest.MonkeyPatch) -> None:
    range_service(known())
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)

    with pytest.raises(CommandError, match=LEAKED):
        call_command("createsuperuser", "--noinput", "--username", "root")
    assert not User.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_five_digits_leave_and_nothing_else_of_the_password(env: Environment, range_service: Range, way: str) -> None:
    service = range_service(known(digest="0" * 40))

    WAYS[way](env, NEW)

    [received] = service.received
    assert (received.method, received.path) == ("GET", f"/range/{DIGEST[:5]}")
    assert received.headers["add-padding"] == "true"
    assert DIGEST[:6] not in str(received).upper()
    assert User.objects.get(pk=env.people["ana"].pk).check_password(NEW)


def test_padding_is_no_leak(env: Environment, range_service: Range) -> None:
    range_service(known(0))

    change_own(env, NEW)

    assert User.objects.get(pk=env.people["ana"].pk).check_password(NEW)


TROUBLES: dict[str, tuple[Behaviour, str]] = {
    "silent": (stall(), "timeout"),
    "closed": (send(b""), "reset"),
    "failing": (reply(503, OTHERS), "status 503"),
    "redirecting": (reply(302, Location="https://example.com/"), "status 302"),
    "another page": (reply(200, b"<html>Sign in"), "unreadable"),
    "no text": (reply(200, b"\xff\xfe"), "unreadable"),
    "too long": (reply(200, b"0" * 2**21), "oversized"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_service_in_trouble_is_asked_once_and_lets_the_password_pass(
    env: Environment,
    range_service: Range,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    behaviour, reason = TROUBLES[trouble]
    service = range_service(behaviour)
    monkeypatch.setattr(leaked_passwords, "SECONDS", 1.0)
    caplog.set_level(logging.DEBUG)

    change_own(env, NEW)

    assert User.objects.get(pk=env.people["ana"].pk).check_password(NEW)
    assert len(service.received) == 1
    said = [record.msg for record in caplog.records if "leaked_passwords" in str(record.msg)]
    assert [(each["event"], each["reason"]) for each in said] == [("leaked_passwords.not_checked", reason)]
    assert DIGEST[:5] not in caplog.text.upper()


@pytest.mark.parametrize(
    ("url", "loopback"), [("http://127.0.0.1:{port}", False), ("https://127.0.0.1:{port}", False), ("nonsense", True)]
)
def test_address_that_is_not_allowed_gets_nothing(
    env: Environment, range_service: Range, settings: Settings, url: str, loopback: bool
) -> None:
    service = range_service(known())
    settings.ALLOW_LOOPBACK_PROVIDERS = loopback
    *others, validator = settings.AUTH_PASSWORD_VALIDATORS
    options = {"url": url.format(port=service.url.rpartition(":")[2])}
    settings.AUTH_PASSWORD_VALIDATORS = [*others, validator | {"OPTIONS": options}]

    change_own(env, NEW)

    assert service.received == []
    assert User.objects.get(pk=env.people["ana"].pk).check_password(NEW)


@pytest.mark.parametrize("old", ["", "wrong"])
def test_nobody_changes_their_own_password_without_the_old_one(env: Environment, old: str) -> None:
    before = password_of(env)

    page = change_own(env, NEW, old=old)

    assert page.status != 302
    assert password_of(env) == before


@pytest.mark.parametrize(
    "url",
    [
        "/admin/password_change/",
        "/admin/accounts/user/{adm}/password/",
        "/admin/accounts/user/{adm}/change/",
        "/staff/{adm}/",
    ],
)
def test_no_other_form_changes_ones_own_password(env: Environment, url: str) -> None:
    adm = env.people["adm"]
    before = adm.password
    values = {"username": "adm", "name": "Me", "roles": "administrator", "is_active": "on", "password": NEW}

    env.post(url.format(adm=adm.pk), values | {"password1": NEW, "password2": NEW, "new_password1": NEW}, "adm")

    adm.refresh_from_db()
    assert adm.password == before
