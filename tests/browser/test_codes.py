"""Repairing a link with a one-time code: each kind of challenge, a wrong code, and an expired code."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from linkadmin.operations.models import PendingChallenge
from tests.environment import Environment
from tests.scripted import answering, asks

from .helpers import Windows, send_code, send_password

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The width of a picture in pixels, once it has arrived; fails if none does.
DECODED_WIDTH = "image => image.decode().then(() => image.naturalWidth)"
LARGE_TYPE = 32  # pixels
SHORT_LIFE = 12  # seconds: the simulator's `mfa_short`


def expect_state(page: Page, label: str) -> None:
    expect(page.locator(".verdict__state [data-live-say]")).to_have_text(label)


def test_wrong_code_then_the_right_one_is_fixed_and_a_fresh_read_proves_it(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_default")
    expect(page.get_by_label("One-time code")).to_be_focused()
    send_code(page, "222222")
    expect(page.get_by_role("alert")).to_contain_text("Wrong or expired code")
    send_code(page, "111-111")

    expect_state(page, "Verifying repair")
    page.get_by_role("button", name="Check status").click()
    expect_state(page, "Working")
    assert [call.body["token"] for call in env.calls("PATCH")] == ["222222", "111111"]


def test_number_to_read_out_is_in_large_type(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_numeric")

    number = page.locator(".challenge output")
    expect(number).to_be_visible()
    assert number.inner_text().isdecimal()
    assert number.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= LARGE_TYPE
    send_code(page, "111111")
    expect_state(page, "Verifying repair")


def test_qr_code_is_drawn(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_qr")

    picture = page.get_by_role("img", name="QR code from the bank")
    expect(picture).to_be_visible()
    expect(page.locator("[data-picture-broken]")).to_be_hidden()
    assert picture.evaluate(DECODED_WIDTH) > 0
    send_code(page, "111111")
    expect_state(page, "Verifying repair")


def test_qr_code_is_drawn_from_text(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    with answering(env.belvo, asks(link.remote_id, type="qr", value="SIMULATED-BANK:123456")):
        send_password(page, link, "pass")
        picture = page.get_by_role("img", name="QR code from the bank")
        expect(picture).to_be_visible()

    assert picture.evaluate(DECODED_WIDTH) > 0


def test_question_of_the_bank_is_read_out(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_text")

    expect(page.locator(".challenge__text")).to_have_text("¿Qué código te dio el asesor de tu sucursal?")
    page.get_by_label("Customer's answer").fill("my-first school")
    expect(page.get_by_label("Customer's answer")).to_have_value("my-first school")
    page.get_by_label("Customer's answer").fill("111111")
    page.get_by_role("button", name="Submit code").click()
    expect_state(page, "Verifying repair")


def test_approval_in_the_banks_app_needs_no_input(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_approve")

    expect(page.get_by_text("Ask the customer to approve it in the bank's app")).to_be_visible()
    expect(page.locator(".code-step input:visible")).to_have_count(0)
    page.get_by_role("button", name="Done, continue").click()
    expect_state(page, "Verifying repair")


def test_code_too_late_swaps_the_whole_step_for_one_message_and_one_way_on(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.clock.install()

    send_password(page, link, "mfa_short")
    expect(page.get_by_role("heading", level=1)).to_have_text("The bank is asking for a one-time code")
    expect(page.get_by_label("One-time code")).to_be_focused()
    PendingChallenge.objects.update(expires_at=timezone.now())
    page.clock.fast_forward(SHORT_LIFE * 1000)

    expect(page.get_by_role("alert")).to_contain_text("Code expired")
    expect(page.get_by_role("timer")).to_have_count(0)
    expect(page.get_by_label("One-time code")).to_have_count(0)
    expect(page.get_by_text("Waiting for the code")).to_have_count(0)
    expect(page.locator(".button--primary:visible")).to_have_count(1)

    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Update credentials")
    expect(page.get_by_label("Contraseña")).to_be_empty()
    assert env.calls("PATCH") == []


def test_sign_in_with_three_steps_shows_each_challenge(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_three")
    for shown in (".challenge output", ".challenge__text"):
        page.locator("#id_code").fill("111111")
        page.get_by_role("button", name="Submit code").click()
        expect(page.get_by_text("The bank is asking for one more thing")).to_be_visible()
        expect(page.locator(shown)).to_be_visible()
    page.locator("#id_code").fill("111111")
    page.get_by_role("button", name="Submit code").click()

    expect_state(page, "Verifying repair")


def test_third_wrong_code_ends_it_and_says_what_is_possible(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_numeric")
    for left in ("2 attempts left today", "1 attempt left today"):
        send_code(page, "222222")
        expect(page.get_by_role("alert")).to_contain_text(left)
    send_code(page, "222222")

    expect(page.get_by_role("alert")).to_contain_text("No attempts left today")
    expect(page.get_by_role("link", name="Send repair request")).to_be_visible()
    expect(page.get_by_role("link", name="Start over")).to_have_count(0)


def test_reload_shows_the_same_step_with_the_clock_where_it_was(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    send_password(page, link, "mfa_numeric")
    number = page.locator(".challenge output").inner_text()

    page.goto(link.get_absolute_url())
    expect_state(page, "One-time code needed")
    expect(page.locator(".challenge output")).to_have_text(number)
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^11:\d\d$"))
    assert len(env.calls("PUT")) == 1
