"""Webhooks in production: shown on the page within seconds, and not lost if their worker is killed."""

import pytest
import requests

from tests.webhooks.webhook_sender import AUTHORIZATION, belvo_webhook

from .stack import PlantedLink, Stack, wait_for

pytestmark = pytest.mark.processes

BANK = "ironbank_br_retail"
BELVO = ("sandbox-id", "sandbox-password")
TAKEN = "Task sync.read_due["  # by a worker


@pytest.fixture(scope="module")
def address(embedded: Stack, webhook_path: str) -> str:
    return embedded.url + webhook_path


def working_at_provider(stack: Stack) -> PlantedLink:
    """Return a link that is broken in our database but works at the provider."""
    link = stack.link(BANK)
    typed = {"password": "pass_valid", "password2": "pass_valid"}
    answer = requests.put(f"{stack.simulator_url}/api/links/{link.remote_id}/", json=typed, auth=BELVO, timeout=60)
    assert answer.status_code == 200
    return link


def post(address: str, link: PlantedLink) -> None:
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json"}
    answer = requests.post(address, data=belvo_webhook(link_id=link.remote_id), headers=headers, timeout=60)
    assert answer.status_code == 202


def test_message_is_visible_on_the_page_before_the_schedule_comes_to_it(stack: Stack, address: str) -> None:
    browser, link = stack.browser(), working_at_provider(stack)
    stack.kill("beat")

    post(address, link)

    wait_for(lambda: browser.says(link.page, "Working"))


def test_messages_outlive_the_worker_and_the_broker(stack: Stack, address: str) -> None:
    links = [working_at_provider(stack) for _ in range(3)]
    browser = stack.browser()
    stack.freeze("simulator")
    taken = stack.log("worker").count(TAKEN)
    for link in links * 3:
        post(address, link)
    wait_for(lambda: stack.log("worker").count(TAKEN) > taken)
    stack.kill("worker", "beat")
    for message in (stack.data / "broker" / "messages").iterdir():
        message.unlink()

    stack.thaw("simulator")
    stack.start("worker", "beat")

    for link in links:
        wait_for(lambda page=link.page: browser.says(page, "Working"))  # type: ignore[misc]
