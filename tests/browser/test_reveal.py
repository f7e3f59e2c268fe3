"""The button that reveals a password, and one-click sign-in to the demo."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from linkadmin.accounts.models import User
from linkadmin.accounts.staff import invitations
from tests.environment import PASSWORD, Environment
from tests.webhooks.webhook_sender import open_endpoint

from .helpers import Windows, barriers, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW = {"width": 360, "height": 800}
DEMO_PASSWORD = "linkadmin-demo"


def show_buttons(page: Page) -> Locator:
    return page.locator("button.reveal")


def show(page: Page, field: Locator) -> None:
    button = show_buttons(page).first
    expect(button).to_have_attribute("aria-controls", field.get_attribute("id") or "-")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(field).to_have_attribute("type", "text")


def test_password_at_sign_in_is_shown_and_hidden_again(env: Environment, windows: Windows) -> None:
    page = windows.window("", viewport=NARROW)
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


def test_shown_password_is_hidden_before_it_is_sent_and_when_the_page_is_left(
    env: Environment, windows: Windows
) -> None:
    page = windows.window("")
    page.goto("/accounts/login/")
    field = page.get_by_label("Password")

    show(page, field)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect(field).to_have_attribute("type", "password")
    show(page, field)
    page.evaluate("document.querySelector('form').addEventListener('submit', (event) => event.preventDefault())")
    field.press("Enter")

    expect(field).to_have_attribute("type", "password")


def test_credentials_form_that_comes_back_has_its_button_again(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(f"{link.get_absolute_url()}credentials/")
    field = page.get_by_label("Contraseña")
    show(page, field)

    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Update credentials").click()

    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("type", "password")
    expect(page.get_by_role("button", name="Show contraseña")).to_have_count(1)
    show(page, field)


def test_new_password_can_be_shown(env: Environment, windows: Windows) -> None:
    page = windows.window("", viewport=NARROW)
    code = invitations.invite(env.people["ana"], by=env.people["adm"])

    page.goto(f"/accounts/join/#{code}")

    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Ana")
    assert page.url.endswith("/accounts/join/")
    show(page, page.get_by_label("New password"))


def test_another_link_can_be_opened_on_the_same_page(env: Environment, windows: Windows) -> None:
    page = windows.window("")
    code = invitations.invite(env.people["ben"], by=env.people["adm"])
    page.goto("/accounts/join/#over")
    expect(page.get_by_text("This link can't be used anymore")).to_be_visible()

    page.evaluate("code => (location.hash = code)", code)

    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Ben")


def test_one_click_signs_in_to_the_demo(env: Environment, windows: Windows, settings: Settings) -> None:
    settings.DEMO = True
    person = User(username="support", roles="support", name="Nadia Okell")
    person.set_password(DEMO_PASSWORD)  # shorter than allowed outside the demo
    person.save()
    page = windows.window("", viewport=NARROW)
    page.goto("/accounts/login/")
    assert overflow(page) <= 0
    assert barriers(page) == []

    page.get_by_role("button", name="Sign in as Nadia Okell (support)").click()

    expect(page.get_by_role("button", name="Your account")).to_be_visible()


Opened = tuple[str, str, list[str]]


def _heron_link(env: Environment) -> Opened:
    return "ana", env.new_link_url(), ["access token", "asset report token"]


def _replaced_token(env: Environment) -> Opened:
    return "ana", f"{env.heron_link().get_absolute_url()}access-token/", ["access token"]


def _credentials(env: Environment) -> Opened:
    return (
        "ana",
        f"{env.belvo_link().get_absolute_url()}credentials/",
        ["contraseña", "second password", "encryption key"],
    )


def _keys(env: Environment) -> Opened:
    return "adm", "/integrations/new/?provider=belvo", ["secret ID", "secret password"]


def _keys_of_heron(env: Environment) -> Opened:
    return "adm", f"/integrations/{env.heron.pk}/edit/", ["API key"]


def _webhook_secret_of_belvo(env: Environment) -> Opened:
    open_endpoint(env.belvo)
    return "adm", f"{env.belvo.get_absolute_url()}endpoint/", ["authorization header"]


def _webhook_secret_of_heron(env: Environment) -> Opened:
    open_endpoint(env.heron)
    return "adm", f"{env.heron.get_absolute_url()}endpoint/", ["webhook secret"]


def _own_password(env: Environment) -> Opened:
    return "ana", "/accounts/password/", ["password"] * 3


PLACES = [
    _heron_link,
    _replaced_token,
    _credentials,
    _keys,
    _keys_of_heron,
    _webhook_secret_of_belvo,
    _webhook_secret_of_heron,
    _own_password,
]


@pytest.mark.parametrize("opened", PLACES, ids=lambda each: each.__name__)
def test_button_names_what_it_shows_and_each_is_hidden_before_it_leaves(
    env: Environment, windows: Windows, opened: Callable[[Environment], Opened]
) -> None:
    who, address, names = opened(env)
    page = windows.window(who, viewport=NARROW)
    page.goto(address)
    buttons = page.locator("button.reveal")
    for details in page.locator("details:not([open]) > summary").all():
        details.click()

    assert [each.inner_text().removeprefix("Show ") for each in buttons.all()] == names
    for number, name in enumerate(names):
        button = buttons.nth(number)
        field = page.locator(f"#{button.get_attribute('aria-controls')}")
        button.click()
        expect(button).to_have_accessible_name(f"Show {name}")
        expect(button).to_have_attribute("title", f"Hide {name}")
        expect(field).to_have_attribute("type", "text")
    assert overflow(page) <= 0
    page.evaluate("dispatchEvent(new Event('pagehide'))")

    expect(page.locator("input[data-revealed]")).to_have_count(0)
    for button in buttons.all():
        expect(button).to_have_attribute("title", re.compile("^Show "))
