"""SIGKILL to the web processes while they take webhooks in: whatever was acknowledged is stored."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import requests

from tests.webhooks.webhook_sender import AUTHORIZATION, belvo_webhook

from .stack import Stack, wait_for

pytestmark = pytest.mark.processes

SENDERS, ENOUGH = 8, 200


def test_nothing_acknowledged_is_lost(stack: Stack, webhook_path: str) -> None:
    acknowledged: list[str] = []

    def send_until_killed(_number: int) -> None:
        with requests.Session() as session:
            for _ in count():
                request_id = str(uuid.uuid4())
                body = belvo_webhook(request_id=request_id)
                try:
                    answer = session.post(
                        stack.url + webhook_path, body, headers={"Authorization": AUTHORIZATION}, timeout=60
                    )
                except requests.ConnectionError:
                    return
                if answer.status_code == 202:
                    acknowledged.append(request_id)

    with ThreadPoolExecutor(SENDERS) as threads:
        sending = [threads.submit(send_until_killed, number) for number in range(SENDERS)]
        wait_for(lambda: len(acknowledged) >= ENOUGH)
        stack.kill("web")
        for each in sending:
            each.result()

    stored = stack.run("tests.processes.webhook_keys:request_ids")
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
