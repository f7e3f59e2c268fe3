"""Creating a link, from the button on the list to the link's own page."""

import re

import pytest
from playwright.sync_api import expect

from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LINK_PAGE = re.compile(r"/links/[0-9a-f-]{36}/$")


def test_heron_link_of_a_new_customer(env: Environment, windows: Windows) -> None:
    page = windows.window()

    page.goto("/links/")
    page.get_by_role("main").get_by_role("link", name="New link").first.click()
    page.get_by_role("link", name="Heron test").click()
    page.get_by_label("Customer ID").fill("cus-77")
    page.get_by_label("Customer name").fill("Blue Fern Bakery")
    page.get_by_label("Institution", exact=True).fill("First Platypus Bank")
    page.get_by_label("Item ID").fill("item-77")
    page.get_by_label("Access token").fill("access-sandbox-77")
    page.get_by_role("button", name="Create link").click()

    expect(page).to_have_url(LINK_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Blue Fern Bakery · First Platypus Bank")
    expect(page.locator("#facts")).to_contain_text("item-77")
    assert len(env.calls("POST")) == 1


def test_belvo_link_through_a_code(env: Environment, windows: Windows) -> None:
    page = windows.window()

    page.goto("/links/new/")
    page.get_by_role("link", name="Belvo test").click()
    page.get_by_role("searchbox", name="Institution", exact=True).press_sequentially("heimdall mx")
    expect(page.locator("#institutions tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Heimdall Bank").click()
    page.get_by_label("Customer ID").fill("cus-78")
    page.get_by_label("Customer name").fill("Acme Corp")
    page.get_by_label("Usuario").fill("mfa_default")
    page.get_by_label("Contraseña").fill("pass_valid")
    page.get_by_role("button", name="Create link").click()
    page.get_by_label("Token").fill("111111")  # this bank's own label
    page.get_by_role("button", name="Submit code").click()

    expect(page).to_have_url(LINK_PAGE)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acme Corp · Heimdall Bank")
    assert len(env.calls("POST", "/api/links/")) == 1


def test_what_is_missing_is_said_at_each_field_and_nothing_is_sent(env: Environment, windows: Windows) -> None:
    page = windows.window()

    page.goto(env.new_link_url())
    page.get_by_label("Customer name").fill("Blue Fern Bakery")
    page.get_by_label("Access token").fill("access-to-forget")
    page.get_by_role("button", name="Create link").click()

    expect(page.get_by_role("alert")).to_contain_text("2 fields need attention")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Item ID")).to_have_accessible_description(re.compile("This field is required"))
    expect(page.get_by_label("Customer name")).to_have_value("Blue Fern Bakery")
    expect(page.get_by_label("Access token")).to_have_value("")
    assert env.calls("POST") == []
