"""Customers: filters that apply at once, rows that open their customer, and an account manager assigned in place."""

import re

import pytest
from playwright.sync_api import expect

from linkadmin.links.account_managers import set_account_manager
from linkadmin.links.models import Link
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_account_manager_is_assigned_in_place(env: Environment, windows: Windows) -> None:
    customer = env.heron_link("Acme Corp").end_user
    page = windows.window()
    page.goto(customer.get_absolute_url())

    page.get_by_role("link", name="Assign", exact=True).click()
    choice = page.get_by_label("Account manager", exact=True)
    expect(choice).to_be_focused()
    choice.select_option("Mia")
    page.get_by_role("button", name="Assign", exact=True).click()

    expect(page.locator("#account-manager")).to_contain_text("Mia")
    expect(page.get_by_role("link", name="Assign", exact=True)).to_be_visible()


def test_list_filters_and_sorts_at_once_and_its_rows_open(env: Environment, windows: Windows) -> None:
    mine = env.heron_link("Acme Corp", cause=Cause.LOGIN_REQUIRED).end_user
    set_account_manager(mine, env.people["ana"], by=env.people["ana"])
    env.heron_link("Blue Fern Bakery", item_id="item-2", cause=Cause.LOGIN_REQUIRED)
    page = windows.window()
    page.goto("/customers/")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)

    page.locator("#tab-mine").press("Enter")
    expect(page).to_have_url(re.compile(r"\?manager=mine$"))
    expect(page.locator("#tab-mine")).to_be_focused()
    expect(rows).to_have_count(1)
    page.locator("#sort-name").press("Enter")
    expect(page).to_have_url(re.compile(r"\?manager=mine&sort=name$"))
    expect(page.locator("#sort-name")).to_be_focused()
    rows.locator(".table__state").click()

    expect(page).to_have_url(re.compile(mine.get_absolute_url()))


def test_changed_customers_wait_until_the_reader_shows_them(env: Environment, windows: Windows) -> None:
    link = env.heron_link("Acme Corp", cause=Cause.WORKING)
    page = windows.window()
    page.goto("/customers/")

    Link.objects.filter(pk=link.pk).update(cause=Cause.LOGIN_REQUIRED.value, health="customer_login", urgency=30)
    offer = page.get_by_role("button", name="1 changed, show")
    page.mouse.move(5, 5)
    offer.click()

    expect(page.locator("tbody")).to_contain_text("Sign-in needed")
