"""Limits on password attempts: by account, known device, session and IP address; recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from linkadmin.accounts import limits, tasks
from linkadmin.accounts.models import SignInLimit, User
from linkadmin.accounts.roles import Role
from linkadmin.audit.models import AuditEvent

from .conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LOGIN = "/accounts/login/"
NOW = "2026-03-02T09:00Z"


@pytest.fixture(autouse=True)
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that reached a hash."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def ana(member: Callable[[Role], User], hashes: list[str]) -> User:
    made = member(Role.SUPPORT)
    hashes.clear()
    return made


def sign_in(client: Client, username: str = "support", password: str = "wrong", **headers: str) -> Any:
    return client.post(LOGIN, {"login": username, "password": password}, **headers)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def fail(times: int, username: str = "support", **headers: str) -> None:
    for _ in range(times):
        sign_in(Client(), username, **headers)


@pytest.mark.usefixtures("ana")
def test_sixth_attempt_reaches_no_hash_whatever_the_client_claims(settings: Settings, hashes: list[str]) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for number in range(8):
        sign_in(
            Client(),
            ["support", "SUPPORT", " Support "][number % 3],
            HTTP_HOST=f"host{number}:{8000 + number}",
            HTTP_USER_AGENT=f"agent {number}",
            REMOTE_ADDR=f"192.0.2.{number}",
            HTTP_X_FORWARDED_FOR=f"198.51.100.{number}",
        )

    assert hashes == ["wrong"] * 5
    assert not is_in((sign_in(right := Client(), password=PASSWORD), right)[1])


def test_unknown_username_is_limited_too_and_never_stored(hashes: list[str]) -> None:
    for number in range(8):
        sign_in(Client(), "Typed In The Wrong Field".swapcase() if number % 2 else "typed in the wrong field")

    assert len(hashes) == 5
    rows = [*SignInLimit.objects.values_list("key", flat=True), *AuditEvent.objects.values_list("canonical", flat=True)]
    assert not [row for row in rows if "wrong" in row.lower()]


@pytest.mark.usefixtures("ana")
def test_blocked_attempt_shows_the_wait_and_is_recorded(ana: User, clock: Any) -> None:
    fail(1)
    clock.shift(60)
    fail(4)

    page = sign_in(Client(), password=PASSWORD)

    assert "Too many failed sign-ins. Try again in 14 minutes." in page.content.decode()
    events = AuditEvent.objects.filter(action="session.sign_in_rejected", object_id=str(ana.pk))
    assert events.count() == 6
    assert events.latest("seq").details == {"reason": "too many attempts", "limit": "account", "rejected": 1}


@pytest.mark.usefixtures("ana")
def test_flood_of_blocked_attempts_does_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ONE_BY_ONE", 3)

    fail(5 + 12)

    rejected = [event.details.get("rejected") for event in AuditEvent.objects.filter(action="session.sign_in_rejected")]
    assert rejected == [None] * 5 + [1, 2, 3, 6, 9, 12]


@pytest.mark.usefixtures("ana")
def test_attempts_expire_one_by_one(clock: Any, hashes: list[str]) -> None:
    for _ in range(5):
        fail(1)
        clock.shift(60)
    clock.shift(10 * 60)  # the first is 15 minutes old by now

    fail(2)

    assert len(hashes) == 6


def test_success_clears_earlier_failures(client: Client, ana: User) -> None:
    fail(4)
    sign_in(client, password=PASSWORD)
    assert is_in(client)

    fail(4)

    assert is_in((sign_in(again := Client(), password=PASSWORD), again)[1])


def test_unknown_browsers_do_not_lock_out_a_known_one(client: Client, ana: User, hashes: list[str]) -> None:
    sign_in(client, password=PASSWORD)
    client.post("/accounts/logout/")
    fail(30)
    hashes.clear()

    for _ in range(4):
        sign_in(client)
    sign_in(client, password=PASSWORD)

    assert len(hashes) == 5
    assert is_in(client)


def test_known_browser_has_five_attempts(client: Client, ana: User, hashes: list[str]) -> None:
    sign_in(client, password=PASSWORD)
    client.post("/accounts/logout/")
    hashes.clear()

    for _ in range(7):
        sign_in(client)

    assert len(hashes) == 5


def test_device_cookie_is_invalid_for_other_accounts_or_when_forged(
    client: Client, ana: User, member: Callable[[Role], User]
) -> None:
    member(Role.MANAGER)
    sign_in(client, password=PASSWORD)
    ((name, cookie),) = [each for each in client.cookies.items() if each[0].startswith("device-")]
    fail(5)
    fail(5, "manager")

    forger = Client()
    forger.cookies[name] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    stranger = Client()
    stranger.cookies[name] = cookie.value

    assert not is_in((sign_in(forger, password=PASSWORD), forger)[1])
    assert not is_in((sign_in(stranger, "manager", PASSWORD), stranger)[1])


def test_device_cookie_lasts_thirty_days_and_is_http_only(client: Client, ana: User, settings: Settings) -> None:
    settings.SECURE_COOKIES = True
    settings.SECURE_SSL_REDIRECT = False

    sign_in(client, password=PASSWORD)

    (cookie,) = [each for name, each in client.cookies.items() if name.startswith("__Host-device-")]
    assert (cookie["max-age"], cookie["path"], cookie["domain"]) == (30 * 24 * 60 * 60, "/", "")
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


def test_device_cookie_counts_for_thirty_days(client: Client, ana: User, clock: Any) -> None:
    sign_in(client, password=PASSWORD)
    client.session.flush()
    client.cookies.pop("session")
    clock.shift(30 * 24 * 60 * 60 + 1)
    fail(5)

    sign_in(client, password=PASSWORD)

    assert not is_in(client)


def test_one_address_has_twenty_attempts_an_hour(hashes: list[str], ana: User, clock: Any) -> None:
    for number in range(30):
        sign_in(Client(), f"name-{number}", REMOTE_ADDR="192.0.2.7")
    assert len(hashes) == 20

    refused = sign_in(Client(), password=PASSWORD, REMOTE_ADDR="192.0.2.7")
    elsewhere = Client()
    sign_in(elsewhere, password=PASSWORD, REMOTE_ADDR="192.0.2.8")

    assert "Try again in 60 minutes." in refused.content.decode()
    assert is_in(elsewhere)
    clock.shift(60 * 60 + 1)
    sign_in(later := Client(), password=PASSWORD, REMOTE_ADDR="192.0.2.7")
    assert is_in(later)


def test_addresses_of_one_ipv6_subscriber_are_one(hashes: list[str]) -> None:
    for number in range(30):
        sign_in(Client(), f"name-{number}", REMOTE_ADDR=f"2001:db8::{number:x}:1")

    assert len(hashes) == 20


def test_successful_sign_ins_do_not_count_against_the_address(member: Callable[[Role], User], ana: User) -> None:
    for _ in range(25):
        sign_in(client := Client(), password=PASSWORD)
        assert is_in(client)


def test_address_comes_from_trusted_proxies(settings: Settings, hashes: list[str]) -> None:
    settings.TRUSTED_PROXIES = 1

    for number in range(30):
        sign_in(Client(), f"name-{number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, 192.0.2.7")
    assert len(hashes) == 20

    sign_in(Client(), "somebody", HTTP_X_FORWARDED_FOR="192.0.2.7, 192.0.2.8")
    assert len(hashes) == 21


def test_current_password_cannot_be_guessed_in_an_open_session(client: Client, ana: User, hashes: list[str]) -> None:
    client.force_login(ana)
    new = {"password1": "another horse, another battery", "password2": "another horse, another battery"}
    for _ in range(5):
        client.post("/accounts/password/", new | {"oldpassword": "wrong"})

    page = client.post("/accounts/password/", new | {"oldpassword": PASSWORD})

    assert "Too many failed sign-ins" in page.content.decode()
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)
    assert hashes.count("wrong") == 5
    assert AuditEvent.objects.filter(details__limit="session").count() == 1


def test_failed_sign_ins_elsewhere_do_not_block_a_password_change(client: Client, ana: User) -> None:
    client.force_login(ana)
    fail(6)
    new = {"password1": "another horse, another battery", "password2": "another horse, another battery"}

    client.post("/accounts/password/", new | {"oldpassword": PASSWORD})

    ana.refresh_from_db()
    assert ana.check_password(new["password1"])


@pytest.mark.parametrize("method", ["get", "post"])
def test_django_admin_checks_no_password(
    client: Client, ana: User, member: Callable[[Role], User], hashes: list[str], method: str
) -> None:
    client.force_login(member(Role.AUDITOR))
    hashes.clear()

    answer = getattr(client, method)("/admin/login/", {"username": "support", "password": PASSWORD})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert hashes == []
    assert Client().post("/admin/login/", {"username": "support"}).headers["Location"].startswith(LOGIN)


def test_expired_limits_are_removed(ana: User, clock: Any) -> None:
    fail(1)
    assert SignInLimit.objects.count() == 2
    clock.shift(15 * 60 + 1)

    tasks.delete_expired_limits()

    assert [key.partition(":")[0] for key in SignInLimit.objects.values_list("key", flat=True)] == ["address"]
    assert timezone.now() < SignInLimit.objects.get().expires_at
