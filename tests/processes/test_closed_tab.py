"""A slow bank and a closed tab: the call goes on without anybody watching."""

import pytest

from .stack import Stack, wait_for, wait_for_state

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]


def test_a_call_ends_although_the_tab_that_started_it_is_closed(stack: Stack) -> None:
    browser, link = stack.browser(), stack.link()

    browser.leave_while_sending(link.page, password="slow_2")

    assert browser.state_of(link.page) == "Contacting the bank"
    wait_for_state(browser, link.page, "Done")
    wait_for(lambda: browser.says(link.page, "Working"))
    assert len(stack.calls("PUT", f"/api/links/{link.remote_id}/")) == 1


def test_a_request_for_a_code_waits_for_whoever_comes_back(stack: Stack) -> None:
    browser, link = stack.browser(), stack.link()

    browser.leave_while_sending(link.page, password="slow_mfa_2")

    again = stack.browser()
    wait_for(lambda: again.says(link.page, "Enter code"))
    done = again.submit(f"{link.page}token/", having="token", token="111111")
    assert done.url.endswith(link.page)
