"""Passkeys, with Chromium's virtual authenticator: added, used alone to sign in, and to confirm who somebody is."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect
from pytest_django import Settings

from linkadmin.accounts.models import StaffSession, User
from linkadmin.audit.models import AuditEvent
from tests.environment import PASSWORD

from .helpers import Windows, barriers

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Device:
    """The browser's own authenticator. It verifies its user by fingerprint, or can't."""

    def __init__(self, page: Page, *, verifies: bool = True) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": verifies, "automaticPresenceSimulation": True}
        added = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = added["authenticatorId"]

    def verify(self, verifies: bool) -> None:
        self._send("WebAuthn.setUserVerified", isUserVerified=verifies)

    def keys(self) -> list[dict[str, Any]]:
        return list(self._send("WebAuthn.getCredentials")["credentials"])

    def _send(self, method: str, **params: Any) -> dict[str, Any]:
        return dict(self._cdp.send(method, {"authenticatorId": self._id, **params}))


def add_passkey(page: Page, name: str = "Laptop") -> None:
    page.goto("/accounts/factors/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def sign_out(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def is_at(page: Page, path: str) -> None:
    page.wait_for_url(lambda url: url.partition("://")[2].partition("/")[2] == path.removeprefix("/"))


def test_passkey_is_added_and_signs_in_alone(windows: Windows) -> None:
    page = windows.window()
    device = Device(page)
    add_passkey(page)
    assert barriers(page) == []
    sign_out(page)

    page.goto("/accounts/login/?next=/links/")
    assert barriers(page) == []
    page.get_by_role("button", name="Sign in with a passkey").click()

    is_at(page, "/links/")
    assert len(device.keys()) == 1
    assert AuditEvent.objects.filter(action="session.started", actor="ana").last().details == {"factor": "webauthn"}
    page.goto("/accounts/security/")
    expect(page.get_by_role("row", name="Passkey Laptop")).to_be_visible()


def test_passkey_is_the_second_step_after_a_password(windows: Windows) -> None:
    page = windows.window()
    Device(page)
    add_passkey(page)
    sign_out(page)

    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Use a passkey").click()

    is_at(page, "/")


def test_passkey_confirms_who_somebody_is(windows: Windows) -> None:
    page = windows.window()
    Device(page)
    add_passkey(page)
    before = StaffSession.objects.get(user__username="ana").session_key

    page.goto("/accounts/confirm/?next=/links/new/")
    assert barriers(page) == []
    page.get_by_role("button", name="Use a passkey").click()

    is_at(page, "/links/new/")
    assert StaffSession.objects.get(user__username="ana").session_key != before
    assert AuditEvent.objects.filter(action="session.confirmed", details__factor="webauthn").count() == 2


def test_passkey_that_does_not_verify_its_user_is_not_enough(windows: Windows) -> None:
    page = windows.window()
    device = Device(page)
    add_passkey(page)
    sign_out(page)
    device.verify(False)

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    assert not StaffSession.objects.filter(user__username="ana").exists()


@pytest.mark.parametrize("why", ["inactive", "removed"])
def test_rejected_passkey_leaves_nothing_for_the_next_person(windows: Windows, settings: Settings, why: str) -> None:
    page = windows.window()
    Device(page)
    add_passkey(page)
    sign_out(page)
    if why == "inactive":
        User.objects.filter(username="ana").update(is_active=False)
    else:
        Authenticator.objects.all().delete()

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("This passkey wasn't accepted.")).to_be_visible()
    assert AuditEvent.objects.filter(action="session.sign_in_rejected").count() == 1
    settings.SECOND_FACTOR_REQUIRED = True
    page.get_by_label("Username").fill("ben")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Add second factor")).to_be_visible()


def test_newcomer_enrolls_with_one_click_after_the_password(windows: Windows, settings: Settings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    page = windows.window("")
    Device(page)
    page.goto("/")
    page.get_by_label("Username").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert barriers(page) == []

    page.get_by_role("button", name="Create passkey").click()
    page.get_by_role("link", name="I've saved them").click()

    is_at(page, "/")
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_at(page, "/")
    expect(page.get_by_role("link", name="Links", exact=True)).to_be_visible()
