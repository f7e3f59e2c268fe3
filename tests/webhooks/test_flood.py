"""Many concurrent deliveries, with copies, out of order, and forgeries: each genuine one is stored exactly once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from django.db import connection
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from linkadmin.webhooks import deliveries, refusals
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment

from .webhook_sender import AUTHORIZATION, FORGED, belvo_webhook, open_endpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.thorough, pytest.mark.database]

MESSAGES, FORGERIES, AT_ONCE = 400, 240, 8


def test_deliveries_copies_and_forgeries_are_counted_apart(env: Environment, live_server: LiveServer) -> None:
    rng, url = random.Random(7), live_server.url + open_endpoint(env.belvo)
    sent = {belvo_webhook(link_id=f"link-{number}"): rng.randint(1, 5) for number in range(MESSAGES)}
    posts = [(body, {"Authorization": AUTHORIZATION}) for body, copies in sent.items() for _ in range(copies)]
    posts += [(belvo_webhook(), FORGED) for _ in range(FORGERIES)]
    rng.shuffle(posts)

    def post(message: tuple[bytes, dict[str, str]]) -> int:
        return requests.post(url, message[0], headers=message[1], timeout=20).status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = Counter(threads.map(post, posts))

    assert answers == {202: len(posts) - FORGERIES, 401: FORGERIES}
    kept = dict(WebhookDelivery.objects.values_list("remote_link_id", "copies"))
    assert kept == {f"link-{number}": copies for number, copies in enumerate(sent.values())}
    assert FORGERIES - refusals.ONE_BY_ONE < refusals.last_hour(env.belvo) <= FORGERIES


def test_workers_share_deliveries_and_each_is_processed_once(env: Environment) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    rows = [WebhookDelivery(integration=env.belvo, key=str(number)) for number in range(MESSAGES)]
    WebhookDelivery.objects.bulk_create(rows)

    def work(_number: int) -> list[str]:
        try:
            return [delivery.key for _ in range(10) for delivery in deliveries.claim(7, now=soon)]
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        taken = [key for keys in threads.map(work, range(AT_ONCE)) for key in keys]

    assert sorted(taken, key=int) == [str(number) for number in range(MESSAGES)]
