"""A link's page: a repair from start to end without leaving it, its menu, and its calendar."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations.models import PendingChallenge
from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import Windows, barriers, overflow, send_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW = {"width": 360, "height": 780}


def open_form(page: Page, link: Link) -> None:
    page.goto(link.get_absolute_url())
    page.get_by_role("link", name="Update credentials").click()
    expect(page.get_by_label("Contraseña")).to_be_focused()


def send_in_panel(page: Page, password: str) -> None:
    page.get_by_label("Contraseña").fill(password)
    page.get_by_role("button", name="Update credentials").click()


def assert_here(page: Page, link: Link) -> None:
    expect(page).to_have_url(re.compile(f"{link.get_absolute_url()}$"))


def test_repair_runs_on_the_links_page(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    open_form(page, link)

    send_in_panel(page, "pass_invalid")
    expect(page.locator("#repair").get_by_role("alert")).to_contain_text("rejected")
    expect(page.get_by_label("Contraseña")).to_be_empty()
    send_in_panel(page, "mfa_default")
    expect(page.get_by_role("textbox", name="One-time code")).to_be_focused()
    expect(page.locator(".steps [aria-current]")).to_have_text("Enter code")
    assert_here(page, link)
    send_code(page, "222222")
    expect(page.get_by_role("alert")).to_contain_text("Wrong or expired code")
    send_code(page, "111111")

    expect(page.locator(".steps [aria-current]")).to_have_text("Verifying repair")
    assert_here(page, link)
    env.prove(link)
    expect(page.locator(".steps .is-done")).to_have_count(4)
    assert (len(env.calls("PUT")), len(env.calls("PATCH"))) == (2, 2)


def test_each_step_fits_a_phone_and_has_no_barriers(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window(viewport=NARROW)

    open_form(page, link)
    assert (overflow(page), barriers(page)) == (0, [])
    send_in_panel(page, "mfa_qr")
    expect(page.get_by_role("img", name="QR code from the bank")).to_be_visible()
    assert (overflow(page), barriers(page)) == (0, [])


def test_expired_code_is_swapped_for_a_new_start(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.clock.install()
    open_form(page, link)
    send_in_panel(page, "mfa_short")
    expect(page.get_by_role("textbox", name="One-time code")).to_be_focused()

    PendingChallenge.objects.update(expires_at=timezone.now())
    page.clock.fast_forward(12_000)

    expect(page.get_by_role("alert")).to_contain_text("Code expired")
    expect(page.get_by_role("textbox", name="One-time code")).to_have_count(0)
    expect(page.get_by_role("button", name="Start over")).to_be_visible()
    assert_here(page, link)


def test_open_form_says_that_nothing_can_be_sent_now(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.clock.install()
    open_form(page, link)
    page.get_by_label("Contraseña").fill("pass")

    Integration.objects.filter(pk=env.belvo.pk).update(key_state="rejected")
    page.mouse.move(200, 200)
    page.clock.run_for(40_000)

    expect(page.locator("#repair").get_by_text("Can't do this right now")).to_be_visible()
    expect(page.locator("#repair").get_by_role("button", name="Update credentials")).to_be_disabled()
    expect(page.get_by_label("Contraseña")).to_have_value("pass")


def test_menu_closes_on_escape_and_elsewhere(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(link.get_absolute_url())
    more, entry = page.locator(".more > summary"), page.get_by_role("link", name="Delete link")

    more.press("Enter")
    expect(entry).to_be_visible()
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    page.get_by_role("heading", level=1).click()
    expect(entry).to_be_hidden()


def test_calendar_is_one_tab_stop_and_arrows_move_by_day_and_week(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(cause=Cause.WORKING), windows.window()
    link.changes.update(at=timezone.now() - timedelta(days=60))
    page.goto(link.get_absolute_url())
    days = page.locator(".calendar a")
    focused = page.locator(".calendar a:focus")

    expect(page.locator(".calendar a[tabindex='0']")).to_have_count(1)
    days.last.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    day = days.nth(-9).get_attribute("href")
    expect(focused).to_have_attribute("href", str(day))
    page.keyboard.press("Home")
    expect(days.first).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("History")


def test_timeline_is_narrowed_in_place(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(link.get_absolute_url())
    page.get_by_label("Note", exact=True).fill("They called back")
    page.get_by_label("Entry types").get_by_role("link", name="Notes").click()

    expect(page.locator("#timeline")).to_contain_text("Nothing has happened yet.")
    expect(page.get_by_label("Entry types").locator("[aria-current]")).to_have_text("Notes")
    expect(page.get_by_label("Note", exact=True)).to_have_value("They called back")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#timeline")).to_contain_text("They called back")


def test_delete_button_is_off_until_an_id_of_the_link_is_typed(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(f"{link.get_absolute_url()}delete/")
    button, field = page.get_by_role("button", name="Delete link"), page.get_by_label("Type the customer ID")

    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description("Available once what you type matches.")
    for typed in (link.remote_id[:-1], "somebody else"):
        field.fill(typed)
        expect(button).to_be_disabled()
    for typed in (link.remote_id, f" {link.end_user.external_id} ", str(link.pk)):
        field.fill(typed)
        expect(button).to_be_enabled()

    page.get_by_label("Reason").fill("The customer closed the account.")
    button.click()
    expect(page.locator("h1")).to_contain_text("Acme Corp")
    assert len(env.calls("DELETE")) == 1
