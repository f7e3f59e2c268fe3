"""The overview's chart: a day's figures under the pointer and by keyboard, and areas that lead to the list."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from linkadmin.providers.types import Cause
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def day(back: int) -> str:
    return f"{timezone.now() - timedelta(days=back):%b %-d, %Y}"


def overview(windows: Windows, **options: object) -> Page:
    page = windows.window(**options)
    page.goto("/")
    return page


def test_pointer_shows_the_figures_of_a_day(env: Environment, windows: Windows) -> None:
    env.belvo_link(cause=Cause.LOGIN_REFUSED)
    page = overview(windows)
    plot, tip = page.locator(".chart__plot"), page.locator(".chart__tip")
    box = plot.bounding_box()
    assert box

    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20)
    expect(tip).to_have_text(f"{day(0)} · 1 not workingCustomer 1 · Bank/provider 0 · Us 0")
    page.mouse.move(box["x"] + 1, box["y"] + 20)
    expect(tip).to_have_text(f"{day(89)} · 0 not workingCustomer 0 · Bank/provider 0 · Us 0")

    page.mouse.move(box["x"], box["y"] - 80)
    expect(tip).to_be_hidden()


def test_arrow_keys_show_the_figures_of_a_day(env: Environment, windows: Windows) -> None:
    env.belvo_link(cause=Cause.LOGIN_REFUSED)
    page = overview(windows)
    slider = page.get_by_role("slider", name="Day")

    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", f"{day(0)} · 1 not working: Customer 1 · Bank/provider 0 · Us 0")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    expect(page.locator(".chart__tip")).to_contain_text(day(8))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".chart__tip")).to_contain_text(day(89))
    page.keyboard.press("Escape")
    expect(page.locator(".chart__tip")).to_be_hidden()


def test_figures_fit_a_narrow_screen(env: Environment, windows: Windows) -> None:
    env.belvo_link(cause=Cause.LOGIN_REFUSED)
    page = overview(windows, viewport={"width": 360, "height": 740})
    box = page.locator(".chart__plot").bounding_box()
    assert box

    for share in (0, 0.3, 0.5, 0.7, 1):
        page.mouse.move(box["x"] + share * (box["width"] - 1), box["y"] + 20)
        tip = page.locator(".chart__tip").bounding_box()
        assert tip
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= 360


def test_area_leads_to_its_links(env: Environment, windows: Windows) -> None:
    env.belvo_link(cause=Cause.LOGIN_REFUSED)
    page = overview(windows)
    box = page.locator(".chart__plot").bounding_box()
    assert box

    page.mouse.click(box["x"] + box["width"] - 1, box["y"] + box["height"] - 12)

    page.wait_for_url("**/links/?state=customer")
