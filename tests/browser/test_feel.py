"""The focus stays through swaps, form pages start in their first field, and waiting moves nothing."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_tab_of_the_timeline_keeps_the_focus(env: Environment, windows: Windows) -> None:
    page = windows.window()
    page.goto(env.belvo_link().get_absolute_url())

    page.get_by_role("link", name="Notes", exact=True).press("Enter")

    expect(page).to_have_url(re.compile("kind=note"))
    expect(page.get_by_role("link", name="Notes", exact=True)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("link", name="Notes", exact=True)).to_be_focused()


@pytest.mark.parametrize("slug", ["repair-request", "settings", "delete", "notes"])
def test_form_pages_start_in_their_first_field(env: Environment, windows: Windows, slug: str) -> None:
    page = windows.window()
    page.goto(f"{env.belvo_link(bank='ofmockbank_br_retail').get_absolute_url()}{slug}/")

    expect(page.locator("main").locator("input:not([type=hidden]), select, textarea").first).to_be_focused()


def test_busy_button_keeps_its_size(env: Environment, windows: Windows) -> None:
    page, held = windows.window(), list[Route]()
    page.route("**/notes/", lambda route: held.append(route))  # Playwright can't wrap built-in methods
    page.goto(env.belvo_link().get_absolute_url())
    page.get_by_label("Note").fill("They call back on Monday")
    add = page.get_by_role("button", name="Add note")
    before = add.bounding_box()

    add.click()
    expect(page.locator("#note-form")).to_have_class(re.compile("htmx-request"))

    assert add.bounding_box() == before
    held[0].continue_()
    expect(page.locator("#timeline")).to_contain_text("They call back on Monday")
