"""Showing what is typed in a password field, and signing in to the demo with one click."""

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from linkadmin.accounts.models import User
from tests.house import PASSWORD, House

from .desk import Desk, barriers, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW = {"width": 360, "height": 800}
DEMO_PASSWORD = "linkadmin-demo"


def show_buttons(page: Page) -> Locator:
    return page.get_by_role("button", name="Show password")


def show(page: Page, field: Locator) -> None:
    button = show_buttons(page).first
    expect(button).to_have_attribute("aria-controls", field.get_attribute("id") or "-")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(field).to_have_attribute("type", "text")


def test_password_at_sign_in_is_shown_and_hidden_again(house: House, desk: Desk) -> None:
    page = desk.window("", viewport=NARROW)
    page.goto("/accounts/login/")
    field = page.get_by_label("Password")
    autocomplete = field.get_attribute("autocomplete")
    field.fill(PASSWORD)

    show(page, field)
    expect(field).to_have_attribute("autocomplete", autocomplete or "-")
    show_buttons(page).click()

    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value(PASSWORD)
    assert overflow(page) <= 0
    assert barriers(page) == []


def test_shown_password_is_hidden_before_it_is_sent_and_when_the_page_is_left(house: House, desk: Desk) -> None:
    page = desk.window("")
    page.goto("/accounts/login/")
    field = page.get_by_label("Password")

    show(page, field)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect(field).to_have_attribute("type", "password")
    show(page, field)
    page.evaluate("document.querySelector('form').addEventListener('submit', (event) => event.preventDefault())")
    field.press("Enter")

    expect(field).to_have_attribute("type", "password")


def test_credentials_form_that_comes_back_has_its_button_again(house: House, desk: Desk) -> None:
    link, page = house.belvo_link(), desk.window()
    page.goto(f"{link.get_absolute_url()}credentials/")
    field = page.get_by_label("Contraseña")
    show(page, field)

    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Send to the bank").click()

    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("type", "password")
    expect(show_buttons(page)).to_have_count(1)
    show(page, field)


def test_password_form_of_the_django_admin_has_a_button_for_each_field(house: House, desk: Desk) -> None:
    page = desk.window("adm", viewport=NARROW)

    page.goto("/admin/accounts/user/add/")

    fields = page.locator("input[type=password]")
    expect(show_buttons(page)).to_have_count(fields.count())
    show(page, page.locator("#id_password1"))


def test_one_click_signs_in_to_the_demo(house: House, desk: Desk, settings: Settings) -> None:
    settings.DEMO = True
    person = User(username="support", role="support", name="Nadia Okell")
    person.set_password(DEMO_PASSWORD)  # shorter than staff outside of the demo may have
    person.save()
    page = desk.window("", viewport=NARROW)
    page.goto("/accounts/login/")
    assert overflow(page) <= 0
    assert barriers(page) == []

    page.get_by_role("button", name="Sign in as Nadia Okell (support)").click()

    expect(page.get_by_role("button", name="Your account")).to_be_visible()
