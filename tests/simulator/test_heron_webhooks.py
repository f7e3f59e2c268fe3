"""Heron: signed webhooks to each subscription of the topic, and none about recovery."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest

from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from linkadmin.simulator.server import Simulator
from tests.waiting import wait_until

from .conftest import Heron, MovableClock
from .receiver import Receiver

Subscribe = Callable[..., str]


@pytest.fixture
def subscribe(heron: Heron, receiver: Receiver) -> Subscribe:
    """Subscribe the receiver to topics, each at a path with its name."""

    def subscribe(*topics: str, **more: object) -> str:
        for topic in topics:
            answer = heron("POST", "/api/webhooks", {"topic": topic, "url": receiver.url(f"/{topic}"), **more})
        return str(answer.json()["webhook"]["heron_id"])

    return subscribe


def signed(raw: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def test_a_failed_sync_sends_a_webhook(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe, clock: MovableClock
) -> None:
    subscribe("integration_link.erroring")
    heron.create("login-required-1")
    heron.create("item-2")
    clock.forward(STATUS_CHANGE_AFTER)
    heron.links_of("cust-1")

    assert simulator.delivered()
    (got,) = receiver.got
    assert got.body == {
        "topic": "integration_link.erroring",
        "created": "2026-09-21T14:13:23+00:00",
        "data": {"item_id": "login-required-1", "end_user_id": "cust-1", "status": "erroring"},
        "meta": None,
    }


def test_messages_are_signed_with_the_shared_secret(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe("end_user.created")
    heron.create("item-1")
    assert simulator.delivered()
    simulator.webhooks(heron_secret="sec_other")
    heron.create("item-2", end_user_id="cust-2")
    assert simulator.delivered()

    first, second = receiver.got
    assert first.headers["heron-signature"] == signed(first.raw, "sec_sandbox_practice")
    assert second.headers["heron-signature"] == signed(second.raw, "sec_other")
    assert b": " not in first.raw


def test_the_headers_of_a_subscription_are_sent_along(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe("end_user.created", headers={"X-Token": "ours", "Content-Length": "3"})
    heron.create("item-1")

    assert simulator.delivered()
    assert receiver.got[0].headers["x-token"] == "ours"
    assert receiver.got[0].body["topic"] == "end_user.created"


def test_a_header_that_cant_be_sent_breaks_nothing(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe("end_user.created", headers={"X-Token": "a\r\nX-Other: b"})
    subscribe("end_user.created")
    heron.create("item-1")

    wait_until(lambda: [each.attempts for each in simulator.deliveries] == [1, 1])
    assert len(receiver.got) == 1
    assert [each.status for each in simulator.deliveries] == [None, 200]


def test_only_enabled_subscriptions_of_the_topic_get_webhooks(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe
) -> None:
    webhook = subscribe("end_user.processed", "end_user.created")
    heron.create("item-1")
    heron("PUT", f"/api/webhooks/{webhook}", {"is_enabled": False})
    heron.create("item-2", end_user_id="cust-2")

    assert simulator.delivered()
    assert [(got.path, got.body["data"]["end_user_id"]) for got in receiver.got] == [("/end_user.created", "cust-1")]


def test_finished_processing_of_an_end_user_sends_a_webhook(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe, clock: MovableClock
) -> None:
    subscribe("end_user.created", "end_user.processed")
    user = heron("POST", "/api/end_users", {"end_user": {"end_user_id": "cust-1"}}).json()["end_user"]
    heron("PUT", "/api/end_users", {"end_user": {"end_user_id": "cust-1", "status": "ready"}})
    clock.forward(4)
    heron("GET", "/api/end_users/cust-1")

    assert simulator.delivered()
    created, processed = (got.body for got in receiver.got)
    ids = {"heron_id": user["heron_id"], "end_user_id": "cust-1"}
    assert (created["topic"], created["data"]) == ("end_user.created", {**ids, "status": "new"})
    assert (processed["topic"], processed["data"]) == ("end_user.processed", {**ids, "status": "processed"})


def test_a_switched_data_source_sends_one_webhook(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe
) -> None:
    subscribe("data_source.enabled", "data_source.disabled")
    source = heron.create("item-1").json()["link"]["data_source_heron_id"]
    for enabled in (False, False, True):
        heron("PUT", f"/api/data_sources/{source}", {"is_enabled": enabled})

    assert simulator.delivered()
    assert [(got.path, got.body["data"]["heron_id"]) for got in receiver.got] == [
        ("/data_source.disabled", source),
        ("/data_source.enabled", source),
    ]


def test_no_topic_tells_of_a_link_that_is_created_or_works_again(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe, clock: MovableClock
) -> None:
    topics = heron("GET", "/api/webhooks/topics").json()["topics"]
    heron.create("login-required-1")
    clock.forward(STATUS_CHANGE_AFTER)
    heron.links_of("cust-1")
    subscribe(*topics)

    heron("PUT", "/api/integration_links/login-required-1", {"end_user": {"access_token": "access-new"}})
    heron.create("item-2")
    clock.forward(STATUS_CHANGE_AFTER)
    heron.links_of("cust-1")

    assert simulator.delivered()
    assert {got.body["topic"] for got in receiver.got} == {"end_user.transactions_updated"}


def test_due_webhooks_are_sent_without_requests(
    simulator: Simulator, heron: Heron, receiver: Receiver, subscribe: Subscribe, clock: MovableClock
) -> None:
    subscribe("integration_link.erroring")
    heron.create("locked-1")

    clock.forward(STATUS_CHANGE_AFTER)
    wait_until(lambda: receiver.got)

    assert [got.body["data"]["item_id"] for got in receiver.got] == ["locked-1"]
