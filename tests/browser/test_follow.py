"""Open pages follow changes without a reload, and hidden pages send no requests."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Request, expect

from linkadmin.bulk.models import BulkJob
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import tasks
from linkadmin.providers.types import Cause
from tests import background
from tests.bulk.helpers import completed, many, started_job
from tests.environment import Environment
from tests.slowness import SlowProvider

from .helpers import Windows, send_code, send_password

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLLS = re.compile(r"/live/")
ROUNDS = 40_000  # milliseconds of the page's clock: many poll intervals
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def state(page: Page) -> Callable[[str], None]:
    return expect(page.locator(".verdict__state [data-live-say]")).to_have_text


def count_polls(page: Page) -> list[str]:
    """Collect the requests that the page sends on its own from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if POLLS.search(request.url) else None)
    return asked


@contextmanager
def all_polls_answered(page: Page) -> Iterator[None]:
    """Wait at the end for polls in progress: their responses would include later changes."""
    under_way = set[Request]()
    page.on("request", lambda request: under_way.add(request) if POLLS.search(request.url) else None)
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: under_way.discard(request))  # Playwright can't wrap built-in methods
    yield
    while under_way:
        page.wait_for_timeout(20)


def marked(page: Page) -> None:
    """Leave a mark that only a reload removes."""
    page.evaluate("document.body.dataset.sameBody = 'yes'")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("document.body.dataset.sameBody === 'yes'"))


def test_repair_turns_green_before_the_readers_eyes(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "mfa_default")
    expect(page.locator(".steps [aria-current]")).to_have_text("Enter code")
    send_code(page, "111111")
    state(page)("Verifying repair")
    expect(page.locator(".steps [aria-current]")).to_have_text("Verifying repair")
    marked(page)
    env.prove(link)

    state(page)("Working")
    expect(page.locator(".steps .is-done")).to_have_count(4)
    expect(page.locator("#announcer")).to_have_text("Working")
    assert is_same(page)


def test_new_link_is_followed_until_its_data_is_there(env: Environment, windows: Windows) -> None:
    page = windows.window()
    page.goto(env.new_link_url())
    expect(page.locator(".steps [aria-current]")).to_have_text("New link")
    page.get_by_label("Customer ID").fill("cus-77")
    page.get_by_label("Customer name").fill("Blue Fern Bakery")
    page.get_by_label("Item ID").fill("item-77")
    page.get_by_label("Access token").fill("access-sandbox-77")
    page.get_by_role("button", name="Create link").click()
    state(page)("Setting up")
    expect(page.locator(".steps [aria-current]")).to_have_text("Setting up")
    marked(page)

    env.clock.forward(3600)
    env.prove(Link.objects.get(remote_id="item-77"))

    state(page)("Working")
    assert is_same(page)


def test_slow_bank_is_followed_in_a_tab_that_was_closed_and_opened_again(
    env: Environment, windows: Windows, slow: SlowProvider
) -> None:
    link, page = env.belvo_link(), windows.window()
    send_password(page, link, "slow_1")
    expect(page.locator(".waiting__title")).to_contain_text("Contacting the bank…")
    page.close()

    again = windows.window()
    again.goto(link.get_absolute_url())
    state(again)("Contacting the bank")
    marked(again)

    slow.answers()
    state(again)("Verifying repair")
    env.prove(link)
    state(again)("Working")
    assert is_same(again)
    assert len(env.calls("PUT")) == 1


def test_lost_answer_is_followed_to_green(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "lost_after")
    expect(page.locator(".waiting__title")).to_contain_text("Outcome unknown, checking")
    tasks.reconcile_one(str(env.last_operation(link).pk))

    state(page)("Verifying repair")
    env.prove(link)
    state(page)("Working")


def test_job_is_followed_to_its_end(env: Environment, windows: Windows) -> None:
    job = started_job(env, "note", many(env.heron, 3), text="Called them.")
    page = windows.window()
    page.goto(job.get_absolute_url())
    expect(page.get_by_text("0 of 3")).to_be_visible()
    marked(page)

    completed(BulkJob.objects.get())

    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text("Done")
    assert is_same(page)


def test_hidden_page_asks_nothing_and_catches_up_when_it_is_seen_again(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    page.clock.install()
    send_password(page, link, "pass_valid")
    state(page)("Verifying repair")
    asked = count_polls(page)

    page.evaluate(HIDE, True)
    page.clock.run_for(ROUNDS)
    assert asked == []
    env.prove(link)
    page.evaluate(HIDE, False)

    state(page)("Working")


def test_finished_page_without_activity_doesnt_poll(env: Environment, windows: Windows) -> None:
    link, page = env.heron_link(), windows.window()
    page.clock.install()
    page.goto(link.get_absolute_url())
    with all_polls_answered(page):
        page.clock.run_for(70_000)
    asked = count_polls(page)

    page.clock.run_for(600_000)
    assert asked == []
    Integration.objects.filter(pk=env.heron.pk).update(key_state="rejected")
    page.mouse.move(200, 200)

    expect(page.locator(".bar")).to_contain_text("is rejecting our API keys")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("/links/", "ana", "tr .state.tone-quiet:has-text('Working')"),
        ("/integrations/", "adm", "text=API keys rejected"),
    ],
)
def test_open_lists_show_keys_that_were_rejected_meanwhile(
    env: Environment, windows: Windows, url: str, name: str, shown: str
) -> None:
    env.belvo_link(cause=Cause.WORKING)
    page = windows.window(name)
    page.clock.install()
    page.goto(url)
    Integration.objects.filter(pk=env.belvo.pk).update(key_state="rejected")
    page.mouse.move(200, 200)
    page.clock.run_for(ROUNDS)

    expect(page.locator(shown)).to_have_count(1)
    expect(page.locator("#announcer")).to_contain_text("is rejecting our API keys")

    Integration.objects.filter(pk=env.belvo.pk).update(key_state="valid")
    page.mouse.move(210, 210)
    page.clock.run_for(ROUNDS)

    expect(page.locator(shown)).to_have_count(0)
    expect(page.locator("#announcer")).to_be_empty()


def test_list_that_was_searched_keeps_what_was_found(env: Environment, windows: Windows) -> None:
    env.belvo_link(cause=Cause.WORKING)
    page = windows.window()
    page.clock.install()
    page.goto("/links/")
    page.get_by_role("searchbox").first.fill("nobody of that name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No matching links")).to_be_visible()
    Integration.objects.filter(pk=env.belvo.pk).update(key_state="rejected")
    page.mouse.move(200, 200)
    page.clock.run_for(ROUNDS)

    expect(page.locator(".bar")).to_contain_text("is rejecting our API keys")
    expect(page.get_by_role("heading", name="No matching links")).to_be_visible()


def test_what_is_being_typed_is_not_taken_away_and_focus_stays(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window("mia")
    env.send(f"/links/{link.pk}/credentials/", password="pass_valid")
    page.goto(link.get_absolute_url())
    state(page)("Verifying repair")
    page.get_by_label("Note", exact=False).first.fill("They called back")
    page.get_by_role("button", name="Check status").focus()
    env.prove(link)

    state(page)("Working")

    expect(page.get_by_label("Note", exact=False).first).to_have_value("They called back")
    expect(page.get_by_role("button", name="Check status")).to_be_focused()


def test_page_is_not_left_while_a_code_is_typed(env: Environment, windows: Windows) -> None:
    link, ana, ben = env.belvo_link(), windows.window("ana"), windows.window("ana")
    send_password(ana, link, "mfa_default")
    ana.get_by_label("One-time code").fill("48")
    ben.goto(f"{link.get_absolute_url()}code/")
    ben.get_by_label("One-time code").fill("111111")
    ben.get_by_role("button", name="Submit code").click()
    state(ben)("Verifying repair")

    ana.bring_to_front()
    ana.wait_for_event("request", lambda request: request.url.endswith("/code/"))
    expect(ana.get_by_label("One-time code")).to_have_value("48")


@pytest.mark.parametrize("cause", [Cause.LOGIN_REFUSED])
def test_page_works_without_javascript(env: Environment, windows: Windows, cause: Cause) -> None:
    link, page = env.belvo_link(cause=cause), windows.window(java_script_enabled=False)

    send_password(page, link, "pass_valid")
    state(page)("Verifying repair")
    env.prove(link)
    page.reload()

    state(page)("Working")


@pytest.mark.usefixtures("started_long_ago", "at_once", "running")
def test_waiting_page_stops_saying_that_it_checks_when_nobody_does(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window()
    env.send(f"{link.get_absolute_url()}credentials/", password="lost_after")
    page.goto(env.last_operation(link).get_absolute_url())
    expect(page.locator(".waiting__title")).to_contain_text("Outcome unknown, checking")
    marked(page)

    background.kill()

    expect(page.locator(".waiting__title")).to_contain_text("Outcome unknown, not being checked")
    expect(page.locator(".waiting__bar")).to_have_count(0)
    expect(page.locator("#operation")).to_contain_text("Waiting for background processing to restart.")
    expect(page.locator("#alerts")).to_contain_text("Background processing has stopped.")
    assert is_same(page)
