"""The list of links: filters that apply at once, rows that open their link, and changed rows that wait to be shown."""

import re

import pytest
from playwright.sync_api import expect

from linkadmin.links.models import Link
from linkadmin.providers.types import Cause, HealthState
from tests.environment import Environment

from .helpers import Windows, barriers, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_filter_applies_at_once_and_keeps_menu_and_focus(env: Environment, windows: Windows) -> None:
    env.heron_link("Acme Corp", cause=Cause.LOGIN_REQUIRED)
    env.heron_link("Blue Fern Bakery", item_id="item-2", cause=Cause.WORKING)
    page = windows.window()
    page.goto("/links/")
    menu = page.locator("#filter-state")

    menu.locator("summary").click()
    menu.get_by_role("link", name="Sign-in needed", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?state=customer_login$"))
    expect(page.get_by_role("link", name="Blue Fern Bakery")).to_have_count(0)
    expect(menu.locator("summary")).to_be_focused()
    menu.get_by_role("link", name="Working", exact=True).click()  # the menu is still open

    expect(page.get_by_role("link", name="Blue Fern Bakery")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Working", exact=True)).to_be_hidden()


def test_institution_is_found_while_typing(env: Environment, windows: Windows) -> None:
    env.heron_link("Acme Corp", bank="First Platypus Bank", cause=Cause.LOGIN_REQUIRED)
    page = windows.window()
    page.goto("/links/?state=customer")

    page.locator("#filter-institution summary").click()
    page.get_by_role("searchbox", name="Institution", exact=True).press_sequentially("platy")
    page.locator("#banks").get_by_role("link").click()

    expect(page.locator("#filter-institution summary")).to_have_text("Institution: First Platypus Bank")
    expect(page).to_have_url(re.compile(r"\?state=customer&institution="))


def test_head_and_tab_keep_the_focus(env: Environment, windows: Windows) -> None:
    env.heron_link()
    page = windows.window()
    page.goto("/links/")

    for part in ("#sort-since", "#tab-customer"):
        page.locator(part).press("Enter")
        expect(page).to_have_url(re.compile("since|customer"))
        expect(page.locator(part)).to_be_focused()


def test_row_opens_its_link_and_its_first_cell_selects_it(env: Environment, windows: Windows) -> None:
    link = env.heron_link("Acme Corp")
    page = windows.window()
    page.goto("/links/")
    row = page.locator("tbody tr")

    expect(page.get_by_role("button", name="Check status")).to_be_hidden()
    row.locator(".table__pick").click(position={"x": 2, "y": 2})
    expect(page.get_by_role("button", name="Check status")).to_be_visible()
    row.locator(".table__state").click()

    expect(page).to_have_url(re.compile(link.get_absolute_url()))


def test_changed_rows_wait_until_the_reader_shows_them(env: Environment, windows: Windows) -> None:
    link = env.heron_link("Acme Corp", cause=Cause.WORKING)
    env.heron_link("Blue Fern Bakery", item_id="item-2", cause=Cause.WORKING)
    page = windows.window()
    page.goto("/links/")
    row = page.locator("tbody tr", has_text="Acme Corp")
    row.get_by_role("checkbox").check()

    Link.objects.filter(pk=link.pk).update(
        health=HealthState.CUSTOMER_LOGIN.value, cause=Cause.LOGIN_REQUIRED.value, urgency=30
    )
    page.mouse.move(200, 200)  # somebody is there
    expect(page.get_by_role("button", name="1 changed, show")).to_be_visible()
    expect(row).to_contain_text("Working")
    page.get_by_role("button", name="1 changed, show").click()

    expect(row).to_contain_text("Sign-in needed")
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.locator("[data-show-offered]")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_list_with_open_menu_has_no_barriers(env: Environment, windows: Windows, width: int) -> None:
    for number, cause in enumerate((Cause.LOGIN_REQUIRED, Cause.BANK_DOWN, Cause.STALE, Cause.WORKING, Cause.GONE)):
        env.belvo_link(f"Customer with a rather long name {number}", cause=cause)
    page = windows.window(viewport={"width": width, "height": 800})
    page.goto("/links/?state=active")

    page.locator("tbody tr").first.get_by_role("checkbox").check()
    page.locator("#filter-state summary").click()

    assert overflow(page) == 0
    assert barriers(page) == []
