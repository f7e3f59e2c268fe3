"""Staff in the Django admin."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit.models import AuditEvent

from .conftest import PASSWORD, Browser

pytestmark = [pytest.mark.urls("tests.accounts.urls"), pytest.mark.django_db]

STAFF = "/admin/accounts/user/"
NEW_PASSWORD = "another horse, another battery"


@pytest.fixture
def administrator(browser_of: Browser) -> Client:
    return browser_of(Role.ADMINISTRATOR)


@pytest.fixture
def ana(member: Callable[[Role], User]) -> User:
    return member(Role.SUPPORT)


def test_adding_a_colleague_is_recorded(administrator: Client) -> None:
    administrator.post(
        f"{STAFF}add/",
        {"username": "ben", "name": "Ben", "role": "manager", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    ben = User.objects.get(username="ben")
    assert (ben.role, ben.check_password(NEW_PASSWORD)) == ("manager", True)
    event = AuditEvent.objects.get(action="staff.created")
    assert (event.actor, event.object_id, event.details) == ("administrator", str(ben.id), {"role": "manager"})


def test_changing_role_and_access_is_recorded(administrator: Client, ana: User) -> None:
    administrator.post(f"{STAFF}{ana.id}/change/", {"username": "support", "name": ana.name, "role": "manager"})

    ana.refresh_from_db()
    assert (ana.role, ana.is_active) == ("manager", False)
    event = AuditEvent.objects.get(action="staff.updated")
    assert event.object_id == str(ana.id)
    assert event.details == {"fields": "Role, Active", "role": "manager", "active": False}


def test_setting_a_password_is_recorded(administrator: Client, ana: User) -> None:
    administrator.post(f"{STAFF}{ana.id}/password/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    ana.refresh_from_db()
    assert ana.check_password(NEW_PASSWORD)
    event = AuditEvent.objects.get(action="staff.updated")
    assert event.details["fields"] == "password"
    assert NEW_PASSWORD not in event.canonical


def test_a_change_that_cannot_be_recorded_is_not_made(administrator: Client, ana: User, settings: Settings) -> None:
    settings.AUDIT_KEY = ""
    administrator.raise_request_exception = False

    administrator.post(f"{STAFF}{ana.id}/password/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)


def test_administrators_cannot_change_their_own_role(administrator: Client) -> None:
    me = User.objects.get()

    administrator.post(f"{STAFF}{me.id}/change/", {"username": "administrator", "name": "Me", "role": "auditor"})

    me.refresh_from_db()
    assert (me.name, me.role, me.is_active) == ("Me", "administrator", True)


def test_accounts_cannot_be_deleted(administrator: Client, ana: User) -> None:
    assert administrator.post(f"{STAFF}{ana.id}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=ana.pk).exists()


def test_username_is_unique_in_any_case(administrator: Client, ana: User) -> None:
    page = administrator.post(
        f"{STAFF}add/",
        {"username": "SUPPORT", "role": "manager", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    assert "username" in page.context["adminform"].form.errors


def test_auditor_sees_staff_without_their_password_hashes_and_changes_nothing(browser_of: Browser, ana: User) -> None:
    auditor = browser_of(Role.AUDITOR)

    page = auditor.get(f"{STAFF}{ana.id}/change/")

    assert page.status_code == 200
    assert "md5$" not in page.content.decode()
    assert auditor.post(f"{STAFF}{ana.id}/change/", {"role": "manager"}).status_code == 403


def test_admin_redirects_to_the_sign_in_page(client: Client) -> None:
    assert client.get("/admin/")["Location"] == "/accounts/login/?next=/admin/"


def test_admin_has_no_own_password_page(administrator: Client) -> None:
    assert administrator.get("/admin/password_change/")["Location"] == "/accounts/password/"
