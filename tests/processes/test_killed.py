"""SIGKILL to web, worker and beat: outcomes are found by reading the provider, and nothing is sent twice."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from .browser import Browser
from .stack import PlantedLink, Stack, wait_for, wait_for_state

pytestmark = pytest.mark.processes
RECEIVED = "Task operations.reconcile["
NUMBER = re.compile(r'class="challenge__number">(\d{6})<')


@dataclass
class Crash:
    """Calls in progress when the web process was killed, and what the pages said afterwards."""

    stack: Stack
    browser: Browser
    accepted: PlantedLink  # the bank accepted the password after our process was killed
    asked: PlantedLink  # the bank asked for a code, but our process was dead
    taken_over: PlantedLink  # in progress when only gunicorn's workers were killed
    showing: PlantedLink  # waiting for a code, with a number on the page
    number_shown: str = field(default="", init=False)  # the code page before the crash
    said: dict[str, str] = field(default_factory=dict, init=False)  # page URL -> text while the outcome was unknown

    @property
    def calling(self) -> list[PlantedLink]:
        return [self.taken_over, self.accepted, self.asked]

    def begin(self, link: PlantedLink, password: str) -> None:
        """Start a call that takes seconds. Returns as soon as the provider has it."""
        self.browser.leave_while_sending(link.page, password=password)
        wait_for(lambda: self.calls(link))

    def calls(self, link: PlantedLink) -> list[dict[str, Any]]:
        return self.stack.calls("PUT", f"/api/links/{link.remote_id}/")

    def wait_until_page_says(self, link: PlantedLink, words: str) -> None:
        wait_for(lambda: self.browser.says(link.page, words))

    def wait_until_settled(self) -> None:
        for link in (self.accepted, self.taken_over):
            wait_for_state(self.browser, link.page, "Succeeded (confirmed)")
        wait_for_state(self.browser, self.asked.page, "Code expired")


@pytest.fixture(scope="module")
def crash(embedded: Stack) -> Crash:
    links = {name: embedded.link() for name in ("accepted", "asked", "taken_over", "showing")}
    crash = Crash(embedded, embedded.browser(), **links)
    crash.browser.update_credentials(crash.showing.page, password="mfa_numeric")
    crash.number_shown = crash.browser.get(f"{crash.showing.page}code/").text
    # No worker may process the operations before the test is ready.
    embedded.freeze("worker", "beat")
    crash.begin(crash.taken_over, "slow_2")
    embedded.kill_web_workers()
    embedded.start("web")
    crash.begin(crash.accepted, "slow_2")
    crash.begin(crash.asked, "slow_mfa_2")
    embedded.kill("web")
    wait_for(lambda: all(crash.calls(link)[0]["milliseconds"] for link in crash.calling))
    embedded.freeze("simulator")
    embedded.thaw("worker", "beat")
    embedded.start("web")
    for link in crash.calling:
        wait_for_state(crash.browser, link.page, "Outcome unknown")
        crash.said[link.page] = crash.browser.get(link.page).text
    embedded.thaw("simulator")
    return crash


def test_its_calls_are_unknown_once_their_leases_have_passed(crash: Crash) -> None:
    assert len(crash.said) == 3
    assert all("Outcome unknown, checking" in page for page in crash.said.values())


def test_a_repair_the_bank_accepted_is_found_and_proven(crash: Crash) -> None:
    for link in (crash.accepted, crash.taken_over):
        wait_for_state(crash.browser, link.page, "Succeeded (confirmed)")
        crash.wait_until_page_says(link, "Working")


def test_a_lost_request_for_a_code_means_to_start_again(crash: Crash) -> None:
    page = crash.asked.page
    crash.wait_until_page_says(crash.asked, "The bank asked for a code, but its request")

    assert crash.browser.says(crash.browser.operations(page)[0], "Start over")
    assert not crash.browser.says(page, "Verifying repair")
    assert crash.browser.get(f"{page}credentials/").url.endswith("/credentials/")


def test_what_a_bank_showed_outlives_the_process_and_its_code_is_taken(crash: Crash) -> None:
    step = f"{crash.showing.page}code/"
    shown = NUMBER.findall(crash.number_shown)

    assert len(shown) == 1
    assert NUMBER.findall(crash.browser.get(step).text) == shown
    done = crash.browser.submit(step, having="code", code="111111")
    assert done.url.endswith(crash.showing.page)


def test_each_bank_was_contacted_once(crash: Crash) -> None:
    crash.wait_until_settled()

    assert [len(crash.calls(link)) for link in crash.calling] == [1, 1, 1]
    assert [len(crash.browser.operations(link.page)) for link in crash.calling] == [1, 1, 1]


def test_the_trail_tells_each_step_once(crash: Crash) -> None:
    crash.wait_until_settled()
    auditor = crash.stack.browser("aud")
    for link, end in ((crash.accepted, "Done"), (crash.asked, "Expired")):
        operation = crash.browser.operations(link.page)[0].split("/")[2]

        assert auditor.outcomes_of(operation) == ["Requested", "Unknown", end]


@dataclass
class Loss:
    stack: Stack
    browser: Browser
    link: PlantedLink
    messages: int  # in the broker before it was emptied
    said: str  # text of the link's page while no worker ran


@pytest.fixture(scope="module")
def loss(embedded: Stack) -> Loss:
    """Lose a response while no worker runs, empty the broker, and kill the new workers while they read."""
    embedded.kill("worker", "beat")
    browser, link = embedded.browser(), embedded.link()
    browser.update_credentials(link.page, password="lost_after")
    messages = list((embedded.data / "broker" / "messages").iterdir())
    for message in messages:
        message.unlink()
    embedded.freeze("simulator")
    seen = embedded.log("worker").count(RECEIVED)
    embedded.start("worker", "beat")
    wait_for(lambda: embedded.log("worker").count(RECEIVED) > seen)
    said = browser.get(link.page).text
    embedded.kill("worker", "beat")
    embedded.thaw("simulator")
    embedded.start("worker", "beat")
    return Loss(embedded, browser, link, len(messages), said)


def test_a_lost_answer_stays_unknown_while_nobody_works(loss: Loss) -> None:
    assert loss.messages
    assert "Outcome unknown, checking" in loss.said


def test_it_is_learnt_once_they_work_again_although_the_message_is_gone(loss: Loss) -> None:
    page = loss.link.page

    wait_for_state(loss.browser, page, "Succeeded (confirmed)")
    wait_for(lambda: loss.browser.says(page, "Working"))


def test_it_is_resolved_once_and_the_bank_was_contacted_once(loss: Loss) -> None:
    page = loss.link.page
    wait_for_state(loss.browser, page, "Succeeded")

    operation = loss.browser.operations(page)[0].split("/")[2]
    assert loss.stack.browser("aud").outcomes_of(operation) == ["Requested", "Unknown", "Done"]
    assert len(loss.stack.calls("PUT", f"/api/links/{loss.link.remote_id}/")) == 1


def test_a_message_cut_short_by_a_kill_does_not_end_the_worker(stack: Stack) -> None:
    (stack.data / "broker" / "messages" / "0_cut-short.celery.msg").touch()
    browser, link = stack.browser(), stack.link()

    browser.update_credentials(link.page, password="pass_valid")

    wait_for(lambda: browser.says(link.page, "Working"))
    assert stack.runs("worker")
