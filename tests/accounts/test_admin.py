"""Staff in the Django admin, where they are only shown."""

from collections.abc import Callable

import pytest
from django.test import Client

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role

from .conftest import Browser

pytestmark = [pytest.mark.urls("tests.accounts.urls"), pytest.mark.django_db]

STAFF = "/admin/accounts/user/"
NEW_PASSWORD = "another horse, another battery"


@pytest.fixture
def administrator(browser_of: Browser) -> Client:
    return browser_of(Role.ADMINISTRATOR)


@pytest.fixture
def ana(member: Callable[[Role], User]) -> User:
    return member(Role.SUPPORT)


@pytest.mark.parametrize("page", ["add/", "{pk}/change/", "{pk}/password/", "{pk}/end-sessions/"])
def test_nobody_changes_an_account_here(administrator: Client, ana: User, page: str) -> None:
    before = User.objects.filter(pk=ana.pk).values().get()

    answer = administrator.post(
        STAFF + page.format(pk=ana.pk),
        {"username": "x", "roles": "manager", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    assert answer.status_code in (302, 403)
    assert User.objects.filter(pk=ana.pk).values().get() == before
    assert User.objects.count() == 2


def test_accounts_cannot_be_deleted(administrator: Client, ana: User) -> None:
    assert administrator.post(f"{STAFF}{ana.id}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=ana.pk).exists()


def test_auditor_sees_staff_without_their_password_hashes_and_changes_nothing(browser_of: Browser, ana: User) -> None:
    auditor = browser_of(Role.AUDITOR)

    page = auditor.get(f"{STAFF}{ana.id}/change/")

    assert page.status_code == 200
    assert "md5$" not in page.content.decode()
    assert auditor.post(f"{STAFF}{ana.id}/change/", {"roles": "manager"}).status_code == 403


def test_admin_redirects_to_the_sign_in_page(client: Client) -> None:
    assert client.get("/admin/")["Location"] == "/accounts/login/?next=/admin/"


def test_admin_has_no_own_password_page(administrator: Client) -> None:
    assert administrator.get("/admin/password_change/")["Location"] == "/accounts/password/"
