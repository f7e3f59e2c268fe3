"""Deliveries that arrive at the same time: each is stored once, whatever becomes of the others."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from linkadmin.database import driver_rows
from linkadmin.integrations.models import Integration
from linkadmin.webhooks import arrivals
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment

from .webhook_sender import FORGED, belvo_webhook, deliver, open_endpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def deliver_at_once(posts: Sequence[tuple[str, bytes]]) -> list[int]:
    """Post from several threads; none is stored before all have arrived."""

    def post(address: str, body: bytes) -> int:
        try:
            return deliver(address, body).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(posts)) as threads:
        with arrivals._turn:
            waiting = [threads.submit(post, *each) for each in posts]
            while connection.vendor == "sqlite" and len(arrivals._waiting) < len(posts):
                time.sleep(0.01)
        return [each.result() for each in waiting]


def test_those_that_wait_for_sqlite_share_a_statement(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    address, inserts = open_endpoint(env.belvo), []

    def executed(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        inserts.append(sql)
        return driver_rows(sql, params)

    monkeypatch.setattr(arrivals, "driver_rows", executed)

    assert deliver_at_once([(address, belvo_webhook()) for _ in range(5)]) == [202] * 5
    # PostgreSQL commits what arrives on several connections together.
    assert (WebhookDelivery.objects.count(), len(inserts)) == (5, 1 if connection.vendor == "sqlite" else 5)


def test_copies_that_arrive_together_are_counted(env: Environment) -> None:
    address, body, other = open_endpoint(env.belvo), belvo_webhook(), belvo_webhook()

    assert deliver_at_once([(address, each) for each in (body, other, body, body)]) == [202] * 4
    assert sorted(WebhookDelivery.objects.values_list("copies", flat=True)) == [1, 3]


def test_one_that_cannot_be_stored_does_not_take_others_with_it(env: Environment) -> None:
    gone = Integration.objects.create(provider="belvo", name="Gone", base_url=env.simulator.url)
    posts = [(open_endpoint(each), belvo_webhook()) for each in (gone, env.belvo)]
    for address, _body in posts:
        assert deliver(address, belvo_webhook()).status_code == 202  # its endpoint is cached now
    gone.delete()

    assert deliver_at_once([posts[0], posts[1], posts[1]]) == [503, 202, 202]
    assert sorted(WebhookDelivery.objects.values_list("copies", flat=True)) == [1, 2]


def test_one_whose_thread_ended_before_it_was_stored_is_not_acknowledged(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = open_endpoint(env.belvo)
    monkeypatch.setattr(arrivals, "_store_all", lambda tickets: None)

    assert deliver(address, belvo_webhook()).status_code == 500


@pytest.mark.servers
@pytest.mark.parametrize(("headers", "status"), [(None, 202), (FORGED, 401)], ids=["genuine", "forged"])
def test_connection_that_died_is_replaced(env: Environment, headers: dict[str, str] | None, status: int) -> None:
    address = open_endpoint(env.belvo)
    assert deliver(address, belvo_webhook(), headers).status_code == status
    pid = connection.connection.info.backend_pid

    with ThreadPoolExecutor(1) as threads:
        threads.submit(end_connection, pid).result()

    assert deliver(address, belvo_webhook(), headers).status_code == status
    assert WebhookDelivery.objects.count() == (0 if headers else 2)


def end_connection(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    connection.close()
