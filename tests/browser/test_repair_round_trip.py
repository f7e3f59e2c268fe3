"""A customer repairs a link on a phone: from the repair URL to the provider's page and back, while staff watch."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from linkadmin.links.listing.known import INTEGRATIONS
from linkadmin.links.models import Link, RepairRequest
from linkadmin.providers.types import Cause
from linkadmin.repair import requests, tasks
from linkadmin.repair.requests import NewRequest
from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from tests.environment import Environment

from .helpers import Windows, expect_no_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
CONNECTED = "Your bank is connected"
ITEM = "login-required-1"


def sent(env: Environment, link: Link, windows: Windows) -> str:
    new = NewRequest(RepairRequest.Channel.COPY, "en", "Reconnect your bank: {url}", timedelta(hours=24))
    _, token = requests.send(link, new, by=env.people["ana"])
    return f"{windows.url}/repair/{token}/"


def at_provider(env: Environment, link: Link, windows: Windows) -> Page:
    """Open a repair request on a phone, and go on to the provider's page."""
    page = windows.window("", viewport=PHONE)
    page.goto(sent(env, link, windows))
    expect_no_faults(page)
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{windows.url}/repair/")
    expect_no_faults(page)
    page.locator("form button[type=submit]").click()
    page.wait_for_url(f"{env.simulator.url}/**")
    return page


def expect_state(page: Page, label: str) -> None:
    """Without a reload."""
    expect(page.locator(".verdict__state [data-live-say]")).to_have_text(label)


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Usuario").fill("maria")
    page.get_by_label("Contraseña").fill(password)
    page.get_by_role("button", name="Sign in").click()


def enter_code(page: Page, code: str) -> None:
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("button", name="Continue").click()


def test_customer_signs_in_at_the_widget_and_staff_see_the_link_work(env: Environment, windows: Windows) -> None:
    link, staff = env.belvo_link(bank="heimdall_mx_retail"), windows.window()
    staff.goto(link.get_absolute_url())
    page = at_provider(env, link, windows)
    expect_state(staff, "Customer at the provider's page")

    sign_in(page, "pass_invalid")
    expect(page.get_by_role("alert")).to_contain_text("Invalid credentials")
    sign_in(page, "pass_valid")
    enter_code(page, "222222")
    expect(page.get_by_role("alert")).to_contain_text("Wrong or expired code")
    enter_code(page, "111111")

    expect(page).to_have_url(f"{windows.url}/repair/")
    expect(page.get_by_role("heading", name="Checking the connection")).to_be_visible()
    expect_state(staff, "Customer finished, checking status")
    env.prove(link)
    tasks.end_over()
    expect(page.get_by_role("heading", name=CONNECTED)).to_be_visible()
    expect_no_faults(page)
    expect_state(staff, "Working")


def test_customer_repairs_a_link_on_its_companions_page(env: Environment, windows: Windows) -> None:
    env.plaid()
    INTEGRATIONS._all = None
    link, staff = env.heron_link(item_id=ITEM, cause=Cause.LOGIN_REQUIRED), windows.window()
    env.clock.forward(STATUS_CHANGE_AFTER)
    staff.goto(link.get_absolute_url())
    staff.get_by_role("link", name="Send repair request").click()
    staff.get_by_label("Access token of this link").fill(f"access-sandbox-{ITEM}")
    staff.get_by_role("button", name="Create message").click()
    url = re.search(r"http://\S+/repair/[-\w]{43}/", staff.inner_text("main"))
    assert url
    expect_no_faults(staff)
    staff.goto(link.get_absolute_url())
    page = windows.window("", viewport=PHONE)
    page.goto(url[0])
    page.get_by_role("button", name="Continue").click()
    page.locator("form button[type=submit]").click()
    page.wait_for_url(f"{env.simulator.url}/**")
    expect_state(staff, "Customer at the provider's page")

    page.get_by_role("button", name="Leave without signing in").click()
    expect(page).to_have_url(f"{windows.url}/repair/")
    expect_state(staff, "Customer came back, checking status")
    tasks.read_sessions()
    expect_state(staff, "Customer left the provider's page")
    page.goto(f"{windows.url}/repair/")
    page.locator("form button[type=submit]").click()
    page.get_by_role("button", name="Sign in at the bank").click()
    expect(page).to_have_url(f"{windows.url}/repair/")
    tasks.read_sessions()
    env.settled()
    expect_state(staff, "Verifying repair")
    env.clock.forward(STATUS_CHANGE_AFTER)
    env.prove(link)

    expect_state(staff, "Working")
    expect(page.get_by_role("heading", name=CONNECTED)).to_be_visible()


def test_customer_who_leaves_can_start_again(env: Environment, windows: Windows) -> None:
    page = at_provider(env, env.belvo_link(), windows)

    page.get_by_role("button", name="Leave").click()

    expect(page).to_have_url(f"{windows.url}/repair/")
    expect(page.get_by_text("You left before it was done.")).to_be_visible()
    page.locator("form button[type=submit]").click()
    page.wait_for_url(f"{env.simulator.url}/**")
    sign_in(page, "pass_valid")
    expect(page).to_have_url(f"{windows.url}/repair/")


def test_expired_widget_leads_back_to_start_again(env: Environment, windows: Windows) -> None:
    page = at_provider(env, env.belvo_link(), windows)
    windows.expect_status(410)
    env.clock.forward(600)

    sign_in(page, "pass_valid")
    page.get_by_role("link", name="Go back").click()

    expect(page).to_have_url(f"{windows.url}/repair/")
    expect(page.locator("form button[type=submit]")).to_be_visible()


def test_open_finance_customer_renews_the_consent(env: Environment, windows: Windows) -> None:
    link = env.belvo_link(bank="ofmockbank_br_retail", cause=Cause.CONSENT_EXPIRED)
    page = at_provider(env, link, windows)
    (consent,) = env.call_belvo("GET", f"/api/consents/?link={link.remote_id}")["results"]

    page.get_by_label("CPF", exact=True).fill(consent["document_number"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue at the bank").click()
    page.get_by_role("button", name="Renew consent").click()

    expect(page.get_by_role("status")).to_have_text("Consent renewed")
    env.prove(link)
    page.goto(f"{windows.url}/repair/")
    expect(page.get_by_role("heading", name=CONNECTED)).to_be_visible()
    page.get_by_role("link", name="See or withdraw your consents").click()
    page.wait_for_url(f"{env.simulator.url}/meuportal.belvo.com/**")
