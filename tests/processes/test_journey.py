"""The main workflow from sign-in to a verified repair, also with a closed tab, and on PostgreSQL and Redis."""

import pytest

from .browser import TAB_SECONDS, Browser
from .stack import PROGRAMS, Stack, wait_for, wait_for_state

RIGHT_CODE, WRONG_CODE = "111111", "222222"


@pytest.mark.processes
def test_a_link_is_created_and_another_repaired_with_nothing_but_files(embedded: Stack) -> None:
    create_and_repair(embedded)

    assert list(embedded.data.glob("linkadmin.sqlite3"))


@pytest.mark.servers
def test_a_link_is_created_and_another_repaired_on_postgresql_and_redis(on_servers: Stack) -> None:
    create_and_repair(on_servers)

    assert not list(on_servers.data.glob("*.sqlite3"))
    assert not list(on_servers.data.glob("broker/messages/*"))


@pytest.mark.processes
def test_a_call_ends_although_the_tab_that_started_it_is_closed(stack: Stack) -> None:
    browser, link = stack.browser(), stack.link()

    browser.leave_while_sending(link.page, password="slow_2")

    wait_for_state(browser, link.page, "Succeeded")
    wait_for(lambda: browser.says(link.page, "Working"))
    (call,) = stack.calls("PUT", f"/api/links/{link.remote_id}/")
    assert call["milliseconds"] > 1000 * TAB_SECONDS


@pytest.mark.processes
def test_a_request_for_a_code_waits_until_the_user_returns(stack: Stack) -> None:
    browser, link = stack.browser(), stack.link()

    browser.leave_while_sending(link.page, password="slow_mfa_2")

    again = stack.browser()
    wait_for(lambda: again.says(link.page, "Submit code"))
    done = again.submit(f"{link.page}code/", having="code", code="111111")
    assert done.url.endswith(link.page)


@pytest.mark.processes
def test_every_process_of_a_stack_is_known_by_its_environment(stack: Stack) -> None:
    assert len(stack.processes()) == len(PROGRAMS) + len(stack.web_workers()) + len(["simulator"])


def create_and_repair(stack: Stack) -> None:
    browser = stack.browser()
    created = create_heron_link(stack, browser)
    repair_with_code(stack, browser)

    wait_for(lambda: refreshed_says(browser, created, "Working"))
    sent = stack.calls("POST", "/api/integrations/itg_sandbox_transactions/links")
    assert [call["body"] for call in sent] == [
        {
            "access_token": "access-sandbox-1",
            "end_user_id": "cus-new",
            "end_user_name": "Blue Fern Bakery",
            "item_id": "item-1",
        }
    ]


def create_heron_link(stack: Stack, browser: Browser) -> str:
    answer = browser.submit(
        f"/links/new/?integration={stack.integrations['heron']}",
        having="item_id",
        end_user_id="cus-new",
        end_user_name="Blue Fern Bakery",
        item_id="item-1",
        access_token="access-sandbox-1",
    )
    assert answer.url.startswith(f"{browser.url}/links/"), answer.url
    assert "item-1" in answer.text
    return answer.url.removeprefix(browser.url)


def repair_with_code(stack: Stack, browser: Browser) -> None:
    """Repair a link with a wrong code, then the right one. It works only after a worker reads it."""
    link = stack.link("heimdall_mx_retail")
    asked = browser.update_credentials(link.page, password="a_new_password")
    wrong = browser.submit(asked.url, having="code", code=WRONG_CODE)
    stack.freeze("worker")
    right = browser.submit(wrong.url, having="code", code=RIGHT_CODE)
    stack.thaw("worker")

    assert "Wrong or expired code" in wrong.text
    assert "Verifying repair" in right.text
    wait_for(lambda: browser.says(link.page, "Working"))
    assert len(stack.calls("PUT", f"/api/links/{link.remote_id}/")) == 1
    codes = [call["body"]["token"] for call in stack.calls("PATCH", "/api/links/")]
    assert codes[-2:] == [WRONG_CODE, RIGHT_CODE]


def refreshed_says(browser: Browser, page: str, words: str) -> bool:
    return words in browser.press(page, f"{page}refresh/").text
