"""Signing in, staying signed in, and signing out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from linkadmin.accounts import limits
from linkadmin.accounts.models import StaffSession, User
from linkadmin.accounts.roles import Role
from linkadmin.accounts.tasks import end_expired_sessions
from linkadmin.audit.models import AuditEvent
from linkadmin.demo.names import SIGN_INS
from linkadmin.demo.seed_data import PASSWORD as DEMO_PASSWORD
from tests.markup import Form, read

from .conftest import PASSWORD, Browser

pytestmark = [pytest.mark.urls("tests.accounts.urls"), pytest.mark.django_db]

NEW_PASSWORD = "another horse, another battery"


def post_log_in(client: Client, username: str, password: str, *, to: str = "") -> Any:
    return client.post("/accounts/login/", {"login": username, "password": password, "next": to})


@pytest.fixture
def demo_staff(db: None) -> None:
    for username, name, role in SIGN_INS:
        User.objects.create(username=username, password=make_password(DEMO_PASSWORD), roles=role, name=name)


def demo_forms(client: Client, url: str) -> list[Form]:
    """The forms that sign in demo staff, as a browser without JavaScript sends them."""
    return [form for form in read(client.get(url)).forms if form.values.get("password")]


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.fixture
def ana(member: Callable[[Role], User]) -> User:
    return member(Role.SUPPORT)


def test_sign_in_is_recorded(client: Client, ana: User) -> None:
    post_log_in(client, "support", PASSWORD)

    assert is_in(client)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.outcome) == ("session.started", "support", "done")
    assert event.request_id


def test_sign_in_changes_the_session_key(client: Client, ana: User) -> None:
    planted = client.session
    planted.save()
    client.cookies["session"] = str(planted.session_key)

    post_log_in(client, "support", PASSWORD)

    assert client.cookies["session"].value != planted.session_key
    assert not planted.exists(planted.session_key)


def test_wrong_password_is_recorded_for_the_account(client: Client, ana: User) -> None:
    post_log_in(client, "support", "wrong")

    assert not is_in(client)
    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.object_id) == ("session.sign_in_rejected", "rejected", str(ana.id))
    assert event.actor == ""


def test_unknown_username_is_rejected_and_not_stored(client: Client) -> None:
    post_log_in(client, "my secret, in the wrong field", "x")

    event = AuditEvent.objects.get(action="session.sign_in_rejected")
    assert event.object_id == ""
    assert "secret" not in event.canonical


def test_inactive_account_looks_like_a_wrong_password(client: Client, ana: User) -> None:
    User.objects.update(is_active=False)

    disabled = post_log_in(client, "support", PASSWORD)
    wrong = post_log_in(client, "support", "wrong")

    assert not is_in(client)
    assert disabled.context["form"].errors == wrong.context["form"].errors
    events = AuditEvent.objects.filter(action="session.sign_in_rejected", object_id=ana.id)
    assert [each.details for each in events] == [{"reason": "inactive"}] * 2


def test_sixth_wrong_password_blocks_the_right_one_too(client: Client, ana: User) -> None:
    for _attempt in range(5):
        post_log_in(client, "support", "wrong")

    post_log_in(client, "support", PASSWORD)

    assert not is_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_redirects_to_no_other_site(client: Client, ana: User, target: str) -> None:
    response = post_log_in(client, "support", PASSWORD, to=target)

    assert response["Location"] == "/"


def test_sign_in_redirects_to_our_own_path(client: Client, ana: User) -> None:
    response = post_log_in(client, "support", PASSWORD, to="/link-list/?state=broken")

    assert response["Location"] == "/link-list/?state=broken"


def test_sign_out_ends_the_session_and_is_recorded(browser_of: Browser) -> None:
    client = browser_of(Role.SUPPORT)

    response = client.post("/accounts/logout/")

    assert response["Location"] == "/accounts/login/"
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(client)
    assert AuditEvent.objects.get(action="session.ended").details == {"reason": "signed out"}


def test_sign_out_needs_a_post(browser_of: Browser) -> None:
    client = browser_of(Role.SUPPORT)

    assert client.get("/accounts/logout/").status_code == 405
    assert is_in(client)


@pytest.mark.parametrize("path", ["signup", "email", "password/reset", "password/change", "reauthenticate", "inactive"])
def test_other_pages_of_allauth_do_not_exist(client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}/").status_code == 404


def test_session_ends_after_15_idle_minutes(browser_of: Browser) -> None:
    with time_machine.travel("2026-03-02T09:00Z", tick=False) as clock:
        client = browser_of(Role.SUPPORT)
        assert is_in(client)

        clock.shift(15 * 60 + 1)

        assert not is_in(client)
    assert AuditEvent.objects.get(action="session.ended").details == {"reason": "idle"}


def test_active_session_lasts_eight_hours_at_most(browser_of: Browser) -> None:
    with time_machine.travel("2026-03-02T09:00Z", tick=False) as clock:
        client = browser_of(Role.SUPPORT)
        for _ten_minutes in range(8 * 6 + 1):
            assert is_in(client)
            clock.shift(10 * 60)

        assert not is_in(client)
    assert AuditEvent.objects.get(action="session.ended").details == {"reason": "time limit"}


def test_session_is_written_once_a_minute_at_most(
    browser_of: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with time_machine.travel("2026-03-02T09:00Z", tick=False) as clock:
        client = browser_of(Role.SUPPORT)
        client.get("/")
        clock.shift(59)

        with django_assert_num_queries(2):  # the session and its user
            client.get("/")


def test_deactivating_an_account_ends_its_sessions_at_once(browser_of: Browser) -> None:
    client = browser_of(Role.SUPPORT)

    User.objects.update(is_active=False)

    assert not is_in(client)


def test_changing_the_role_ends_all_sessions(browser_of: Browser) -> None:
    client = browser_of(Role.SUPPORT)

    User.objects.update(roles=Role.MANAGER)

    assert not is_in(client)


def test_changing_your_password_ends_other_sessions_and_is_recorded(client: Client, ana: User) -> None:
    elsewhere = Client()
    client.force_login(ana)
    elsewhere.force_login(ana)

    client.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert is_in(client)
    assert not is_in(elsewhere)
    assert AuditEvent.objects.get(action="staff.password_changed").actor == "support"


def test_short_password_is_not_accepted(client: Client, ana: User) -> None:
    client.force_login(ana)

    client.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": "short", "password2": "short"})

    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("America/Sao_Paulo", "America/Sao_Paulo"),
        ("America%2FBogota", "America/Bogota"),
        ("../etc", "UTC"),
        ("", "UTC"),
    ],
)
def test_times_are_shown_in_the_readers_zone_if_it_is_known(browser_of: Browser, cookie: str, zone: str) -> None:
    client = browser_of(Role.SUPPORT)
    client.cookies["tz"] = cookie

    assert client.get("/").content.decode() == zone


@pytest.mark.usefixtures("demo_staff")
def test_demo_staff_sign_in_with_a_click_and_reach_their_page(settings: Settings) -> None:
    settings.DEMO = True
    went = []
    for form in demo_forms(Client(), "/accounts/login/?next=/%3Fstate%3Dbroken"):
        browser = Client()
        went.append((form.values["login"], browser.post(form.action, form.values)["Location"], is_in(browser)))

    assert went == [(username, "/?state=broken", True) for username, *_ in SIGN_INS]


@pytest.mark.usefixtures("demo_staff")
def test_demo_click_counts_as_an_attempt_and_needs_a_csrf_token(settings: Settings) -> None:
    settings.DEMO = True
    User.objects.update(password=make_password("another"))
    form = demo_forms(Client(), "/accounts/login/")[0]

    answers = [Client().post(form.action, form.values) for _each in range(6)]
    forged = Client(enforce_csrf_checks=True).post(form.action, form.values | {"csrfmiddlewaretoken": ""})

    assert "Too many failed sign-ins" in answers[5].content.decode()
    assert forged.status_code == 403


def test_the_demo_page_names_its_staff(client: Client, settings: Settings) -> None:
    settings.DEMO = True

    page = client.get("/accounts/login/").content.decode()

    assert all(f"Sign in as {name} (" in page for _username, name, _role in SIGN_INS)
    assert "This is a demo" in page


def test_production_has_no_sign_in_by_click(client: Client, settings: Settings) -> None:
    settings.DEMO = False

    page = client.get("/accounts/login/").content.decode()

    assert not demo_forms(client, "/accounts/login/")
    assert "Sign in as" not in page
    assert DEMO_PASSWORD not in page


def test_session_before_a_sign_in_lasts_minutes(client: Client, ana: User) -> None:
    with time_machine.travel("2026-03-05 10:00:00+00:00", tick=False) as clock:
        client.post("/accounts/login/passkey/options/")
        asked = StaffSession.objects.get()
        lasts = asked.expire_date - timezone.now()
        clock.shift(301)
        end_expired_sessions()
        left = StaffSession.objects.count()

    assert (lasts, client.cookies["session"]["max-age"]) == (timedelta(minutes=5), 300)
    assert left == 0
    assert not AuditEvent.objects.exists()


def test_session_after_a_sign_in_lasts_as_usual(client: Client, ana: User) -> None:
    client.post("/accounts/login/passkey/options/")
    post_log_in(client, "support", PASSWORD)

    session = StaffSession.objects.get()
    assert session.user == ana
    assert session.expire_date - timezone.now() > timedelta(hours=7)


def test_one_network_gets_so_many_challenges(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.BOUNDS, "challenge", limits.Bound(3, timedelta(minutes=15)))

    def ask(address: str) -> int:
        return Client(REMOTE_ADDR=address).post("/accounts/login/passkey/options/").status_code

    assert [ask("192.0.2.7") for _time in range(5)] == [200, 200, 200, 429, 429]
    assert StaffSession.objects.count() == 3
    assert ask("198.51.100.1") == 200
    assert AuditEvent.objects.filter(details__limit="challenge").count() == 2
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert ask("192.0.2.7") == 200
