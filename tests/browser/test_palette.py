"""The palette and single-key shortcuts, by keyboard alone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.environment import Environment

from .helpers import Windows, barriers, overflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def opened(windows: Windows, name: str = "ana", url: str = "/", **options: Any) -> Page:
    page = windows.window(name, **options)
    page.goto(url)
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    expect(selected(page)).to_be_visible()
    return page


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Find anything")


def selected(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_key_opens_it_and_escape_returns_to_the_page(windows: Windows, key: str) -> None:
    page = windows.window()
    page.goto("/links/")
    page.get_by_role("link", name="Overview").focus()

    page.keyboard.press(key)
    expect(page.get_by_role("option", name="Webhooks")).to_be_visible()
    page.keyboard.press("Escape")

    expect(box(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Overview")).to_be_focused()


def test_button_opens_it(windows: Windows) -> None:
    page = windows.window("adm")
    page.goto("/")

    page.get_by_role("button", name="Find anything").click()

    expect(box(page)).to_be_focused()
    expect(page.get_by_role("option", name="Staff", exact=True)).to_be_visible()


def test_arrows_select_and_enter_opens(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link("Müller Bäckerei"), opened(windows)

    box(page).fill("muller")
    expect(selected(page)).to_contain_text(link.end_user.external_id)
    page.keyboard.press("ArrowDown")
    expect(selected(page)).to_contain_text("Erebor Bank")
    assert box(page).get_attribute("aria-activedescendant") == selected(page).get_attribute("id")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(link.get_absolute_url()))


def test_selection_goes_around(env: Environment, windows: Windows) -> None:
    page = opened(windows)
    last = page.get_by_role("option").last
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")

    page.keyboard.press("ArrowUp")
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")

    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")


def test_late_results_are_dropped(env: Environment, windows: Windows) -> None:
    env.belvo_link("Acme Corp")
    env.belvo_link("Blue Fern")
    page, held = windows.window(), []

    def hold_the_first(route: Route) -> None:
        if "acme" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/find/", hold_the_first)
    page.goto("/")
    page.keyboard.press("/")
    with page.expect_request(lambda request: "acme" in (request.post_data or "")):
        box(page).fill("acme")
    box(page).fill("fern")
    expect(selected(page)).to_contain_text("Blue Fern")
    for route in held:
        route.continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")

    expect(selected(page)).to_contain_text("Blue Fern")


def test_enter_opens_nothing_until_the_present_text_has_results(env: Environment, windows: Windows) -> None:
    env.belvo_link("Acme Corp")
    fern, page, held = env.belvo_link("Blue Fern"), windows.window(), []
    page.route("**/find/", lambda route: held.append(route) if "fern" in route.request.post_data else route.continue_())
    page.goto("/")
    page.keyboard.press("/")
    box(page).fill("acme")
    expect(selected(page)).to_contain_text("Acme Corp")

    with page.expect_request(lambda request: "fern" in (request.post_data or "")):
        box(page).fill("fern")
        page.keyboard.press("Enter")
    assert page.url.endswith("/")
    expect(page.locator("[data-found]")).to_have_attribute("aria-busy", "true")
    while not held:  # the request is seen before it can be continued
        page.wait_for_timeout(10)
    for route in held:
        route.continue_()
    expect(page.locator("[data-found]")).to_have_attribute("aria-busy", "false")
    expect(selected(page)).to_contain_text("Blue Fern")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(fern.end_user.get_absolute_url()))


def test_pasted_lines_stay_apart(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), opened(windows)

    box(page).evaluate(
        """(box, text) => {
          const data = new DataTransfer();
          data.setData("text", text);
          box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        f"ERROR sync failed\nlink={link.remote_id}\nretry=2",
    )

    expect(selected(page)).to_contain_text("Erebor Bank")


def test_typed_text_is_stored_nowhere(env: Environment, windows: Windows) -> None:
    env.belvo_link("Acme Corp")
    page, urls = windows.window(), []
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/")
    page.keyboard.press("/")
    box(page).fill("acme")
    expect(selected(page)).to_contain_text("Acme Corp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acme Corp")

    stored = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])")
    page.go_back()

    assert "acme" not in f"{stored} {urls} {page.url}".casefold()
    assert page.locator("#palette input").input_value() == ""


def test_text_remains_when_the_server_cannot_be_reached(windows: Windows) -> None:
    page = opened(windows)
    expect(selected(page)).to_be_visible()
    windows.expect_status(502)
    page.route("**/find/", lambda route: route.fulfill(status=502))

    page.keyboard.type("acme")

    expect(page.get_by_role("dialog").get_by_text("Can't reach Linkadmin")).to_be_visible()
    expect(box(page)).to_have_value("acme")


@pytest.mark.parametrize("width", [360, 1280])
def test_it_has_no_barriers(env: Environment, windows: Windows, width: int) -> None:
    env.belvo_link("Acme Corp with a name that is much longer than any phone is wide")
    page = opened(windows, viewport={"width": width, "height": 740})
    page.keyboard.type("acme")
    expect(selected(page)).to_contain_text("Acme Corp")

    assert barriers(page) == []
    assert overflow(page) <= 0
    assert page.locator("#palette").evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_question_mark_lists_shortcuts(windows: Windows) -> None:
    page = windows.window()
    page.goto("/")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("j")  # does nothing behind it
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_j_and_k_move_through_rows_and_enter_opens(env: Environment, windows: Windows) -> None:
    links = [env.belvo_link(name) for name in ("Acme Corp", "Blue Fern", "Zebra Ltd")]
    page = windows.window()
    page.goto("/links/?sort=customer")

    page.keyboard.press("j")
    expect(page.get_by_role("main").get_by_role("link", name="Acme Corp", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.get_by_role("main").get_by_role("link", name="Blue Fern", exact=True)).to_be_focused()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(links[1].get_absolute_url()))


def test_n_writes_a_note_and_letters_typed_do_nothing_else(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(link.get_absolute_url())

    page.keyboard.press("n")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.type("never j/k?")

    expect(page.get_by_label("Note")).to_have_value("never j/k?")
    expect(box(page)).to_be_hidden()


def test_r_checks_the_status_and_contacts_no_bank(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.goto(link.get_absolute_url())

    with page.expect_request(f"**{link.get_absolute_url()}refresh/"):
        page.keyboard.press("r")

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    env.settled()
    assert env.calls("PUT") == env.calls("POST") == env.calls("PATCH") == []


def test_e_opens_the_code_step_and_sends_nothing(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    env.send(f"{link.get_absolute_url()}credentials/", password="pass_mfa")
    page.goto(link.get_absolute_url())

    page.keyboard.press("e")

    expect(page.get_by_role("textbox", name="One-time code")).to_be_focused()
    assert env.calls("PATCH") == []


def test_single_keys_can_be_turned_off(windows: Windows) -> None:
    page = windows.window()
    page.goto("/")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Turn off single-key shortcuts").click()
    expect(page.get_by_role("button", name="Turn on single-key shortcuts")).to_be_visible()

    page.goto("/links/")
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")

    expect(box(page)).to_be_focused()


def test_error_page_keeps_navigation_and_palette(windows: Windows) -> None:
    windows.expect_status(404)
    page = opened(windows, url="/nowhere/")

    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    box(page).fill("webhooks")
    expect(selected(page)).to_contain_text("Webhooks")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Webhooks")
