"""Accessibility: without JavaScript, by keyboard alone, in dark mode, and in another time zone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.environment import PASSWORD, Environment

from .helpers import Windows, send_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_TABS = 40


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def tab_to(page: Page, target: Locator) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached with the Tab key")


def test_sign_in_and_out_and_rejected_password(windows: Windows) -> None:
    page = windows.window("")

    sign_in(page, "ana", "not the password")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Password")).to_be_empty()
    sign_in(page, "ana")
    expect(page).to_have_title(re.compile("Overview"))
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_repair_with_a_code_works_without_javascript(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window("", java_script_enabled=False)

    sign_in(page, "ana")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Links").click()
    page.get_by_role("main").get_by_role("link", name="Acme Corp", exact=True).click()
    page.get_by_role("link", name="Update credentials").click()
    page.get_by_label("Contraseña").fill("mfa_default")
    page.get_by_role("button", name="Update credentials").click()
    send_code(page, "222222")
    expect(page.get_by_text("Wrong or expired code")).to_be_visible()
    send_code(page, "111111")

    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert link.get_absolute_url() in page.url


def test_repair_by_keyboard_alone(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto("/")

    page.keyboard.press("/")
    page.keyboard.type(link.remote_id)
    expect(page.locator("[data-found]")).to_have_attribute("aria-busy", "false")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Erebor Bank")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(link.get_absolute_url()))
    tab_to(page, page.get_by_role("link", name="Update credentials"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Contraseña")).to_be_focused()
    page.keyboard.type("mfa_default")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="One-time code")).to_be_focused()
    page.keyboard.type("111111")
    page.keyboard.press("Enter")

    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")


def test_search_by_part_of_a_name_lists_what_matches(env: Environment, windows: Windows) -> None:
    env.belvo_link("Acme Corp")
    env.belvo_link("Blue Fern Bakery")
    page = windows.window()
    page.goto("/links/")

    page.get_by_role("searchbox", name="Find a customer").fill("fern")
    page.keyboard.press("Enter")

    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page.locator("#results tbody")).to_contain_text("Blue Fern Bakery")
    expect(page.get_by_role("searchbox", name="Find a customer")).to_have_value("fern")
    assert "fern" not in page.url


def test_theme_is_toggled_and_saved(windows: Windows) -> None:
    page = windows.window(color_scheme="light")
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Switch theme").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.goto("/links/")

    assert dark != light
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_times_are_in_the_zone_of_the_browser(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window("", timezone_id="America/Mexico_City")

    sign_in(page, "ana")
    page.goto(link.get_absolute_url())

    expect(page.locator(".verdict time")).to_have_attribute("title", re.compile(" CST$"))


def test_filter_changes_the_list_and_the_address(env: Environment, windows: Windows) -> None:
    env.belvo_link("Acme Corp")
    env.heron_link("Blue Fern Bakery")
    page = windows.window()
    page.goto("/links/")

    page.get_by_role("navigation", name="Links by who they're waiting on").get_by_role(
        "link", name="Waiting on customer"
    ).click()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?state=customer$"))
    page.get_by_role("link", name="Remove filter").click()
    expect(page.locator("#results tbody tr")).to_have_count(2)
    page.go_back()

    expect(page.locator("#results tbody tr")).to_have_count(1)
