"""A read-only database while someone is typing: the form stays, with one sentence about the cause."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from linkadmin.providers.types import Cause
from tests.environment import Environment
from tests.troubles import impatient, lock_of_another

from .helpers import Windows, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _short_waits(env: Environment) -> Iterator[None]:
    with impatient():
        yield


def test_form_stays_with_what_was_typed_until_it_can_be_saved(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(cause=Cause.WORKING), windows.window()
    windows.expect_status(503)
    page.goto(link.get_absolute_url())
    note, told = page.get_by_label("Note"), page.get_by_role("alert")
    add, check = (
        page.get_by_role("button", name="Add note"),
        page.get_by_role("button", name="Check status"),
    )
    note.fill("They call back on Monday")

    with lock_of_another():
        for _click in range(2):
            add.click()
            expect(add).to_be_enabled()
            expect(told).to_have_count(1)
        expect(page.locator("#note-form")).to_contain_text("We couldn't save this")
        expect(note).to_have_value("They call back on Monday")
        check.click()
        expect(page.locator("#toasts")).to_contain_text("We couldn't save this")
        expect(told).to_have_count(1)
        assert overflow(page) <= 0
    add.click()

    expect(page.get_by_text("Note added.")).to_be_visible()
    expect(told).to_have_count(0)
    assert env.calls("GET", "/api/links") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_page_that_cant_be_recorded_says_why(env: Environment, windows: Windows, width: int) -> None:
    link, page = env.belvo_link("Acme Corp"), windows.window(viewport={"width": width, "height": 800})
    windows.expect_status(503)

    with lock_of_another():
        page.goto(link.get_absolute_url())

    expect(page.get_by_role("heading")).to_have_text("We couldn't open this page")
    expect(page.locator("body")).not_to_contain_text("Acme Corp")
    assert overflow(page) <= 0
    page.get_by_role("link", name="Reload the page").click()
    expect(page.locator(".verdict__state [data-live-say]")).to_be_visible()
