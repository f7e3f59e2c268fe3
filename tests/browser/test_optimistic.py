"""Notes and assignees appear at once, and the response confirms them or puts them back where they were typed."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from linkadmin.links.models import Link
from linkadmin.links.staff_work import assign
from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXT = "They call back on Monday"


@pytest.fixture
def link(env: Environment) -> Link:
    return env.belvo_link()


@pytest.fixture
def page(link: Link, windows: Windows) -> Page:
    page = windows.window()
    page.goto(link.get_absolute_url())
    page.evaluate("window.isSamePage = true")
    return page


def hold(page: Page, path: str) -> list[Route]:
    """Keep changes sent to a URL back, as a slow server would."""
    held = list[Route]()
    page.route(path, lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    return held


def choose(page: Page, name: str) -> None:
    page.locator("#assignee").get_by_role("link", name="Assign").click()
    page.get_by_label("Assignee").select_option(label=name)
    page.locator("#assignee").get_by_role("button", name="Assign").click()


def add_note(page: Page) -> None:
    page.get_by_label("Note").fill(TEXT)
    page.get_by_role("button", name="Add note").click()


def assert_same_page(page: Page) -> None:
    assert page.evaluate("window.isSamePage")


def test_note_appears_before_a_slow_server_responds(link: Link, page: Page) -> None:
    held = hold(page, "**/notes/")

    page.get_by_label("Note").fill(TEXT)
    page.get_by_label("Note").press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#timeline")).to_contain_text(re.compile(f"{TEXT}\\s*Saving…"))
    expect(page.get_by_label("Note")).to_have_value("")
    assert not link.notes.exists()
    held[0].continue_()
    expect(page.locator("#timeline")).to_contain_text(re.compile(rf"{TEXT}[\s\u2068]*Ana"))
    expect(page.locator("#timeline")).not_to_contain_text("Saving…")
    expect(page.locator("#timeline").get_by_text(TEXT)).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("Note added.")
    expect(page.locator("#note-form :focus")).to_have_count(1)
    assert_same_page(page)


def test_note_that_wasnt_saved_is_back_in_its_box(link: Link, page: Page, windows: Windows) -> None:
    windows.expect_status(500)
    held = hold(page, "**/notes/")
    add_note(page)
    page.get_by_label("Note").press_sequentially("And on Tuesday")
    held[0].fulfill(status=500)

    expect(page.locator("#note-form").get_by_role("alert")).to_contain_text("Can't reach Linkadmin")
    expect(page.get_by_label("Note")).to_have_value(f"{TEXT}\nAnd on Tuesday")
    expect(page.get_by_label("Note")).to_be_focused()
    expect(page.locator("#timeline")).not_to_contain_text(TEXT)
    page.get_by_role("button", name="Add note").click()
    held[1].continue_()
    expect(page.locator("#timeline")).to_contain_text(re.compile(r"And on Tuesday[\s\u2068]*Ana"))
    expect(page.locator("#note-form").get_by_role("alert")).to_have_count(0)
    assert link.notes.count() == 1
    windows.problems.clear()  # htmx reports the error, too


def test_invalid_note_is_back_with_its_error(page: Page) -> None:
    page.get_by_label("Note").evaluate("box => box.removeAttribute('maxlength')")
    page.get_by_label("Note").fill("x" * 2001)
    page.get_by_role("button", name="Add note").click()

    expect(page.locator("#note-form")).to_contain_text("At most 2000 characters.")
    expect(page.get_by_label("Note")).to_have_value("x" * 2001)
    expect(page.locator("#timeline")).not_to_contain_text("xxx")


def test_assignee_changes_before_a_slow_server_responds(link: Link, page: Page) -> None:
    held = hold(page, "**/assignee/")

    choose(page, "Ben")

    expect(page.locator("#assignee > span")).to_have_text("Ben · Assign")
    link.refresh_from_db()
    assert link.assignee is None
    held[0].continue_()
    expect(page.locator("#timeline")).to_contain_text(re.compile("Assigned to .?Ben"))
    expect(page.locator("#assignee")).to_have_text("Ben · Assign")
    expect(page.locator("#announcer")).to_have_text(re.compile("Assigned to .*Ben"))
    expect(page.locator("#assignee").get_by_role("link", name="Assign")).to_be_focused()
    assert_same_page(page)


def test_assignee_that_wasnt_saved_is_back_in_its_form(link: Link, page: Page, windows: Windows) -> None:
    windows.expect_status(500)
    held = hold(page, "**/assignee/")
    choose(page, "Ben")
    held[0].fulfill(status=500)

    expect(page.locator("#assignee").get_by_role("alert")).to_contain_text("Can't reach Linkadmin")
    expect(page.get_by_label("Assignee").locator("option:checked")).to_have_text("Ben")
    expect(page.locator("#assignee-form :focus")).to_have_count(1)
    expect(page.locator("#assignee").get_by_role("link")).to_have_count(0)
    windows.problems.clear()  # htmx reports the error, too


def test_assignee_changed_by_a_colleague_isnt_overwritten(env: Environment, link: Link, page: Page) -> None:
    held = hold(page, "**/assignee/")
    choose(page, "Ben")
    assign(link, by=env.people["mia"], assignee=env.people["mia"])
    held[0].continue_()

    expect(page.locator("#assignee").get_by_role("alert")).to_contain_text("A colleague changed the assignee")
    expect(page.get_by_label("Assignee").locator("option:checked")).to_have_text("Ben")
    expect(page.locator("#assignee").get_by_role("link")).to_have_count(0)
