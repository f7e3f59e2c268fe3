"""A rejection by the bank is explained in our words and the provider's, and the page holds no secret afterwards."""

import pytest
from playwright.sync_api import expect

from tests.environment import Environment

from .helpers import Windows, send_password

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_wrong_password_shows_an_alert_and_clears_the_field(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "pass_invalid")

    told = page.get_by_role("alert")
    expect(told).to_be_focused()
    expect(told).to_contain_text("Wrong password")
    expect(told.get_by_role("blockquote")).to_have_text("Invalid credentials provided to login to the institution")
    expect(told).to_contain_text(env.last_operation(link).request_id)
    expect(page.get_by_label("Contraseña")).to_be_empty()
    expect(page.get_by_text("1 attempt left today")).to_be_visible()


def test_second_try_after_a_rejection_is_a_new_attempt(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    send_password(page, link, "pass_invalid")
    expect(page.get_by_role("alert")).to_be_visible()

    page.get_by_label("Contraseña").fill("pass_valid")
    page.get_by_role("button", name="Update credentials").click()

    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert len(env.calls("PUT")) == 2


def test_locked_account_says_that_the_customer_has_to_go_to_the_bank(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "account_locked")

    told = page.get_by_role("alert")
    expect(told).to_contain_text("Account locked by the bank")
    expect(told).to_contain_text("Ask the customer to have the bank unlock it")
    page.goto(link.get_absolute_url())
    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Action needed at the bank")
