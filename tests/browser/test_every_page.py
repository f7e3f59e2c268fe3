"""Every page fits a phone, has no serious accessibility problem, and doesn't violate the content security policy."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.environment import Environment

from .helpers import Windows, barriers, overflow
from .tour import pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.mark.thorough
def test_every_page_fits_a_phone_and_has_no_serious_barrier_in_light_and_dark(
    env: Environment, windows: Windows
) -> None:
    windows.expect_status(403, 404)
    open_pages: dict[str, Page] = {}
    found: dict[str, list[str]] = {}
    for name, address in pages(env):
        if name not in open_pages:
            open_pages[name] = windows.window(name, viewport=PHONE, reduced_motion="reduce")
        page = open_pages[name]
        page.goto(address)
        wider = overflow(page)
        wrong = barriers(page) + ([f"{wider} pixels too wide"] if wider > 0 else [])
        if wrong:
            found[f"{name} {address}"] = wrong

    assert found == {}


def test_records_of_the_auditor_break_no_policy(env: Environment, windows: Windows) -> None:
    env.open(env.belvo_link().get_absolute_url())
    page = windows.window("aud")

    page.goto("/admin/")
    page.get_by_role("link", name="Audit log").first.click()
    page.locator("#result_list").get_by_role("link").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("View audit event")
