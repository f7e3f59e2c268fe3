"""kill -9 of worker and beat, and an emptied broker: the database knows what is still to be learnt."""

from dataclasses import dataclass

import pytest

from .browser import Browser
from .stack import RECHECK_SECONDS, PlantedLink, Stack, wait_for, wait_for_state

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("processes")]
RECEIVED = "Task operations.reconcile["


@dataclass
class Loss:
    stack: Stack
    browser: Browser
    link: PlantedLink
    messages: int  # in the broker, before it was emptied
    said: str  # by the link's page while no worker ran


@pytest.fixture(scope="module")
def loss(embedded: Stack) -> Loss:
    """Lose an answer while nobody works, empty the broker, and kill the workers once more while they read."""
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
    assert "Outcome unknown: checking" in loss.said


def test_it_is_learnt_once_they_work_again_although_the_message_is_gone(loss: Loss) -> None:
    page = loss.link.page

    wait_for_state(loss.browser, page, "Done, as the provider", within=3 * RECHECK_SECONDS)
    wait_for(lambda: loss.browser.says(page, "Working"))


def test_it_is_settled_once_and_the_bank_was_asked_once(loss: Loss) -> None:
    page = loss.link.page
    wait_for_state(loss.browser, page, "Done", within=3 * RECHECK_SECONDS)

    operation = loss.browser.operations(page)[0].split("/")[2]
    assert loss.stack.browser("aud").outcomes_of(operation) == ["Requested", "Unknown", "Done"]
    assert len(loss.stack.calls("PUT", f"/api/links/{loss.link.remote_id}/")) == 1


def test_a_message_cut_short_by_a_kill_does_not_end_the_worker(stack: Stack) -> None:
    (stack.data / "broker" / "messages" / "0_cut-short.celery.msg").touch()
    browser, link = stack.browser(), stack.link()

    browser.update_credentials(link.page, password="pass_valid")

    wait_for(lambda: browser.says(link.page, "Working"))
    assert stack.runs("worker")
