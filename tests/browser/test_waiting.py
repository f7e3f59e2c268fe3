"""A slow bank, a lost response, a double click: progress is shown, and the request is sent once."""

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from linkadmin.operations import tasks
from tests.environment import Environment
from tests.slowness import SlowProvider

from .helpers import Windows, send_code, send_password

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLL_MILLISECONDS = 5_000  # while an outcome is unknown


def seconds_shown(page: Page) -> int:
    return int(page.locator(".waiting__clock").inner_text().removesuffix(" s"))


def test_slow_bank_is_waited_for_and_the_tab_can_be_closed(
    env: Environment, windows: Windows, slow: SlowProvider
) -> None:
    link, page = env.belvo_link(), windows.window()

    send_password(page, link, "slow_1")
    expect(page.locator(".waiting__title")).to_contain_text("Contacting the bank…")
    assert not env.calls("PUT")[0].status
    page.close()

    again = windows.window()
    again.goto(link.get_absolute_url())
    expect(again.locator(".verdict__state [data-live-say]")).to_have_text("Contacting the bank")
    again.get_by_role("link", name="Show progress").click()
    before = seconds_shown(again)
    expect(again.locator(".waiting__clock")).not_to_have_text(f"{before} s")
    slow.answers()
    expect(again.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    expect(again).to_have_url(re.compile(link.get_absolute_url()))
    assert len(env.calls("PUT")) == 1


def test_lost_answer_is_unknown_until_the_records_tell_and_the_panel_moves_on(
    env: Environment, windows: Windows
) -> None:
    link, page = env.belvo_link(), windows.window()
    page.clock.install()

    send_password(page, link, "lost_after")
    expect(page.locator(".waiting__title")).to_contain_text("Outcome unknown, checking")
    tasks.reconcile_one(str(env.last_operation(link).pk))
    page.clock.run_for(POLL_MILLISECONDS)

    expect(page).to_have_url(re.compile(link.get_absolute_url()))
    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert len(env.calls("PUT")) == 1


def test_double_click_sends_the_password_and_the_code_once(
    env: Environment, windows: Windows, settings: Settings
) -> None:
    settings.OPERATION_ANSWER_SECONDS = 10  # keeps the first click unanswered at the second
    link, page = env.belvo_link(), windows.window()

    page.goto(f"{link.get_absolute_url()}credentials/")
    page.get_by_label("Contraseña").fill("slow_mfa_1")
    page.get_by_role("button", name="Update credentials").dblclick()
    page.get_by_label("One-time code").fill("111111")
    page.get_by_role("button", name="Submit code").dblclick()

    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert (len(env.calls("PUT")), len(env.calls("PATCH"))) == (1, 1)


def test_double_click_without_javascript_is_one_call_too(env: Environment, windows: Windows) -> None:
    link, page = env.belvo_link(), windows.window(java_script_enabled=False)

    page.goto(f"{link.get_absolute_url()}credentials/")
    page.get_by_label("Contraseña").fill("slow_1")
    page.get_by_role("button", name="Update credentials").dblclick()

    expect(page.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert len(env.calls("PUT")) == 1


def test_colleague_sees_the_same_step_and_who_started_it(env: Environment, windows: Windows) -> None:
    link, ana, ben = env.belvo_link(), windows.window("ana"), windows.window("ben")
    send_password(ana, link, "mfa_numeric")
    number = ana.locator(".challenge output").inner_text()

    ben.goto(link.get_absolute_url())
    expect(ben.locator(".challenge output")).to_have_text(number)
    expect(ben.get_by_text("started this, so only they can enter the code.")).to_be_visible()
    expect(ben.get_by_role("button", name="Submit code")).to_have_count(0)
    ben.goto(f"{link.get_absolute_url()}credentials/")
    expect(ben.locator(".challenge output")).to_have_text(number)

    send_code(ana, "111111")
    expect(ana.locator(".verdict__state [data-live-say]")).to_have_text("Verifying repair")
    assert (len(env.calls("PUT")), len(env.calls("PATCH"))) == (1, 1)
