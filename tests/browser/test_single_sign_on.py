"""Single sign-on in Chromium, through a local identity provider."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django import Settings

from linkadmin.accounts.models import ApprovalRequest, Identity, StaffSession, User
from linkadmin.audit.models import AuditEvent
from tests import identity_provider
from tests.identity_provider import CALLBACK, Provider, use

from .helpers import Windows, barriers, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(settings: Settings) -> Iterator[Provider]:
    with identity_provider.running() as provider:
        use(settings, provider.url)
        provider.knows("7001", roles=["team support"], name="Cleo Vance", preferred_username="cleo")
        yield provider


def sign_in_there(page: Page, sub: str = "7001") -> None:
    page.wait_for_url("**/oauth2/authorize?**")
    page.get_by_role("textbox").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def sign_in(page: Page, path: str = "/links/") -> None:
    page.goto(f"/accounts/login/?next={path}")
    page.get_by_role("button", name="Sign in with Acme").click()
    sign_in_there(page)


def is_refused(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    assert barriers(page) == []
    assert overflow(page) == 0


def test_sign_in_and_step_up(windows: Windows, acme: Provider) -> None:
    page = windows.window("")
    page.goto("/accounts/login/?next=/links/")
    assert barriers(page) == []
    sign_in(page)
    page.wait_for_url("**/links/")

    StaffSession.objects.filter(user__username="cleo").update(session_data=unconfirmed())
    page.goto("/links/new/")
    expect(page.get_by_role("heading", name="Confirm it's you")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Confirm with Acme").click()
    sign_in_there(page)

    page.wait_for_url("**/links/new/")
    assert acme.parameters("/oauth2/authorize")["prompt"] == "login"
    assert AuditEvent.objects.filter(action="session.confirmed", actor="cleo").count() == 1
    page.goto("/accounts/security/")
    expect(page.get_by_text("You sign in with Acme.")).to_be_visible()
    assert barriers(page) == []
    page.go_back()
    expect(page).to_have_url(f"{windows.url}/links/new/")


def unconfirmed() -> str:
    stored = StaffSession.objects.get(user__username="cleo")
    store = stored.get_session_store_class()()
    return str(store.encode(stored.get_decoded() | {"confirmed_at": 0}))


@pytest.mark.parametrize("roles", [..., ["unknown"]], ids=["missing", "unknown"])
def test_no_role_gives_no_access(windows: Windows, acme: Provider, roles: object) -> None:
    windows.expect_status(403)
    acme.claims = {"roles": roles}
    page = windows.window("")

    sign_in(page)

    is_refused(page, "You don't have access to Linkadmin")
    assert not Identity.objects.exists()


def test_wrong_issuer_and_old_sign_in_are_refused(windows: Windows, acme: Provider) -> None:
    windows.expect_status(403)
    page = windows.window("")
    acme.claims = {"iss": f"{acme.url}/"}
    sign_in(page)
    is_refused(page, "Acme didn't confirm who you are")

    acme.claims = {"auth_time": 1}
    sign_in(page, "/links/new/")
    page.get_by_role("button", name="Confirm with Acme").click()
    sign_in_there(page)
    is_refused(page, "Acme didn't confirm who you are")

    acme.claims = {"auth_time": ...}
    page.goto("/links/new/")
    page.get_by_role("button", name="Confirm with Acme").click()
    sign_in_there(page)
    is_refused(page, "Acme didn't confirm who you are")


def test_way_back_works_once(windows: Windows, acme: Provider) -> None:
    windows.expect_status(409)
    page = windows.window("")
    ways_back: list[str] = []
    page.on("request", lambda request: ways_back.append(request.url) if CALLBACK in request.url else None)
    sign_in(page)
    page.wait_for_url("**/links/")

    page.goto(ways_back[0])

    is_refused(page, "This sign-in has expired")
    page.get_by_role("link", name="Go to overview").click()
    expect(page).to_have_url(f"{windows.url}/")


def test_demotion_ends_sessions_elsewhere(windows: Windows, acme: Provider) -> None:
    acme.knows("7001", roles=["team support", "leads"], preferred_username="cleo")
    elsewhere, here = windows.window(""), windows.window("")
    sign_in(elsewhere)
    elsewhere.wait_for_url("**/links/")
    acme.knows("7001", roles=["leads"])

    sign_in(here)
    here.wait_for_url("**/links/")

    elsewhere.goto("/links/")
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    assert User.objects.get(username="cleo").roles == "manager"


def test_host_lets_in_while_the_provider_is_down(
    windows: Windows, acme: Provider, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    windows.expect_status(503)
    settings.PASSWORD_SIGN_IN = False
    use(settings, "http://localhost:9")
    page = windows.window("")
    page.goto("/accounts/login/")
    assert barriers(page) == []
    expect(page.get_by_label("Password")).to_have_count(0)
    page.get_by_role("button", name="Sign in with Acme").click()
    is_refused(page, "We couldn't reach Acme")
    call_command("recover_access", "adm")

    page.goto("/accounts/recover/")
    assert barriers(page) == []
    page.get_by_label("Code").fill(capsys.readouterr().out.splitlines()[-1])
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{windows.url}/")
    page.goto("/staff/")
    expect(page.get_by_role("heading", name="Staff")).to_be_visible()


def test_administrator_links_an_account(windows: Windows, acme: Provider) -> None:
    """Once somebody else approves it on the server: the administrator's own account isn't linked."""
    page = windows.window("adm")
    page.goto("/staff/")
    page.get_by_role("link", name="Ana").click()
    page.get_by_role("link", name="Change").click()
    assert barriers(page) == []
    page.get_by_label("ID at the identity provider").fill("7001")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("linked this account to the ID")).to_be_visible()
    assert barriers(page) == []
    call_command("approve", str(ApprovalRequest.objects.get().pk))

    ana = windows.window("")
    sign_in(ana)
    ana.wait_for_url("**/links/")
    assert Identity.objects.get(subject="7001").user.username == "ana"
