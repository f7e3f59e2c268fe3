"""Deliveries lead to reads: of the links they name, and of unknown links, which are added."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import EndUser, Link, LinkRead
from linkadmin.providers.types import Cause, HealthState, LinkRef
from linkadmin.simulator.heron.guide import STATUS_CHANGE_AFTER
from linkadmin.sync import delivery_reads, tasks
from linkadmin.sync.models import UnknownLinkRead
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryLink, DeliveryOutcome, DeliveryState, WebhookDelivery
from tests.environment import HERON_INTEGRATION, Environment
from tests.webhooks.webhook_sender import (
    AUTHORIZATION,
    SECRET,
    belvo_webhook,
    deliver,
    heron_webhook,
    open_endpoint,
    signed,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def at_belvo(env: Environment) -> str:
    """Return the URL of the Belvo integration's endpoint."""
    return open_endpoint(env.belvo)


@pytest.fixture
def at_heron(env: Environment) -> str:
    return open_endpoint(env.heron)


def work() -> None:
    """Process deliveries like a worker."""
    tasks.process_deliveries()
    for integration in Integration.objects.all():
        tasks.read_due(str(integration.pk))


def tell_of(address: str, link: Link, **more: str) -> WebhookDelivery:
    """Deliver a webhook about a link and return the stored delivery."""
    assert deliver(address, belvo_webhook(link_id=link.remote_id, **more)).status_code == 202
    return WebhookDelivery.objects.latest("pk")


def tell_of_item(address: str, **data: str) -> WebhookDelivery:
    body = heron_webhook(**data)
    assert deliver(address, body, signed(body)).status_code == 202
    return WebhookDelivery.objects.latest("pk")


def outcome_of(delivery: WebhookDelivery) -> str:
    delivery.refresh_from_db()
    return delivery.outcome if delivery.state == DeliveryState.DONE else delivery.state


def reads(env: Environment) -> int:
    return len(env.calls("GET"))


class TestKnownLink:
    def test_message_has_its_link_read_and_is_not_believed_itself(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link(cause=Cause.LOGIN_REFUSED)

        delivery = tell_of(at_belvo, link, code="invalid_credentials")
        work()

        link.refresh_from_db()
        assert (link.health, outcome_of(delivery)) == (HealthState.HEALTHY.value, DeliveryOutcome.CHANGED)

    def test_message_without_news_is_closed_as_such(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link(cause=Cause.WORKING)
        env.prove(link)
        LinkRead.objects.update(read_at=None)

        delivery = tell_of(at_belvo, link)
        work()

        assert outcome_of(delivery) == DeliveryOutcome.NO_CHANGE

    def test_many_messages_about_a_link_are_one_read(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link()

        told = [tell_of(at_belvo, link, code=code) for code in ("invalid_credentials", "token_required") * 5]
        work()

        assert reads(env) == 1
        assert {outcome_of(delivery) for delivery in told} == {DeliveryOutcome.CHANGED}

    def test_message_older_than_a_read_is_closed_by_it(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link()
        delivery = tell_of(at_belvo, link)
        env.prove(link)

        work()

        assert reads(env) == 1
        assert outcome_of(delivery) == DeliveryOutcome.CHANGED

    def test_message_within_ten_seconds_of_a_read_waits_for_the_next(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link()
        env.prove(link)

        delivery = tell_of(at_belvo, link)
        work()
        assert (reads(env), outcome_of(delivery)) == (1, DeliveryState.PROCESSING)

        LinkRead.objects.update(due_at=timezone.now())
        work()
        assert (reads(env), outcome_of(delivery)) == (2, DeliveryOutcome.NO_CHANGE)

    def test_message_of_unknown_type_about_a_link_of_ours_has_it_read(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link()

        delivery = tell_of(at_belvo, link, code="something_new")
        work()

        assert (reads(env), outcome_of(delivery)) == (1, DeliveryOutcome.CHANGED)

    def test_message_of_a_removal_waits_for_the_second_look(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link(cause=Cause.WORKING)
        del env.simulator.store.belvo_links[link.remote_id]
        delivery = tell_of(at_belvo, link, code="link_deleted")
        work()
        assert outcome_of(delivery) == DeliveryState.PROCESSING

        LinkRead.objects.update(due_at=timezone.now())
        work()

        link.refresh_from_db()
        assert (link.health, outcome_of(delivery)) == (HealthState.DISCONNECTED.value, DeliveryOutcome.CHANGED)

    def test_message_that_is_reprocessed_leads_to_a_new_read(self, env: Environment, at_belvo: str) -> None:
        link = env.belvo_link()
        delivery = tell_of(at_belvo, link)
        work()
        LinkRead.objects.update(read_at=timezone.now() - timedelta(seconds=11))

        deliveries.reprocess(WebhookDelivery.objects.filter(pk=delivery.pk), by=env.people["adm"])
        work()

        assert (reads(env), outcome_of(delivery)) == (2, DeliveryOutcome.NO_CHANGE)

    def test_message_outlives_a_worker_that_died_with_it(self, env: Environment, at_belvo: str) -> None:
        delivery = tell_of(at_belvo, env.belvo_link())
        deliveries.claim(10, now=timezone.now())
        work()
        assert outcome_of(delivery) == DeliveryState.PENDING

        WebhookDelivery.objects.update(lease_until=timezone.now())
        work()

        assert outcome_of(delivery) == DeliveryOutcome.CHANGED

    def test_message_says_that_it_waits_while_its_link_cannot_be_read(self, env: Environment, at_belvo: str) -> None:
        env.simulator.fail("GET", "/api/links/", "unsupported_operation", 1)
        delivery = tell_of(at_belvo, env.belvo_link())
        work()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.outcome) == (DeliveryState.PROCESSING, DeliveryOutcome.WAITING_TO_RETRY)

        LinkRead.objects.update(due_at=timezone.now())
        work()

        assert outcome_of(delivery) == DeliveryOutcome.CHANGED


class TestCustomer:
    def test_message_about_a_customer_has_all_their_links_read_by_one_call(
        self, env: Environment, at_heron: str
    ) -> None:
        link = env.heron_link(cause=Cause.LOGIN_REQUIRED)
        customer = link.end_user
        body = {"access_token": "access-sandbox-1", "end_user_id": customer.external_id, "item_id": "item-2"}
        env.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)
        env.let_know(env.heron, customer, "item-2", None, Cause.LOGIN_REQUIRED)

        delivery = tell_of_item(
            at_heron, topic="end_user.processed", item_id="", end_user_id=customer.external_id, status="processed"
        )
        work()

        assert (reads(env), outcome_of(delivery)) == (1, DeliveryOutcome.CHANGED)
        assert DeliveryLink.objects.filter(delivery=delivery, read_at__isnull=False).count() == 2

    def test_customer_whom_nobody_knows_is_taken_over_with_their_links(self, env: Environment, at_heron: str) -> None:
        body = {"access_token": "access-sandbox-1", "end_user_id": "cus-new", "item_id": "item-9"}
        env.call_heron("POST", f"/api/integrations/{HERON_INTEGRATION}/links", body)

        delivery = tell_of_item(at_heron, topic="end_user.created", item_id="", end_user_id="cus-new")
        work()

        link = Link.objects.get(remote_id="item-9")
        assert (link.end_user.external_id, outcome_of(delivery)) == ("cus-new", DeliveryOutcome.CHANGED)


class TestUnknownLink:
    def registered(self, env: Environment) -> str:
        body = {"institution": "erebor_mx_retail", "username": "12345678901", "password": "pass_valid"}
        return str(env.call_belvo("POST", "/api/links/", body | {"external_id": "cus-new"})["id"])

    def test_link_made_elsewhere_is_taken_over(self, env: Environment, at_belvo: str) -> None:
        remote_id = self.registered(env)
        assert deliver(at_belvo, belvo_webhook(link_id=remote_id)).status_code == 202

        work()

        link = Link.objects.get(remote_id=remote_id)
        assert (link.health, link.end_user) == (HealthState.HEALTHY.value, EndUser.objects.get(external_id="cus-new"))
        assert outcome_of(WebhookDelivery.objects.get()) == DeliveryOutcome.CHANGED
        assert list(WebhookDelivery.objects.get().links.all()) == [link]

    def test_many_messages_about_links_nobody_knows_are_one_call(self, env: Environment, at_belvo: str) -> None:
        ids = [str(uuid.uuid4()) for _ in range(5)]
        for remote_id in ids * 3:
            deliver(at_belvo, belvo_webhook(link_id=remote_id))

        work()

        assert reads(env) == 1
        assert {outcome_of(each) for each in WebhookDelivery.objects.all()} == {DeliveryOutcome.NO_MATCHING_LINK}

    def test_id_that_the_provider_refuses_spoils_no_other(self, env: Environment, at_belvo: str) -> None:
        remote_id = self.registered(env)
        deliver(at_belvo, belvo_webhook(link_id=remote_id))
        env.simulator.fail("GET", "/api/links/", "invalid", 2)
        for _ in range(3):
            work()
            UnknownLinkRead.objects.update(due_at=timezone.now())

        work()

        assert Link.objects.filter(remote_id=remote_id).exists()

    def test_message_that_names_nobody_is_closed(self, env: Environment, at_belvo: str) -> None:
        deliver(at_belvo, belvo_webhook(link_id="", external_id="", code="something_new"))
        deliver(at_belvo, belvo_webhook(link_id="", external_id=""))

        work()

        outcomes = {each.kind: outcome_of(each) for each in WebhookDelivery.objects.all()}
        assert outcomes == {
            "unknown": DeliveryOutcome.UNRECOGNIZED_TYPE,
            "link_trouble": DeliveryOutcome.NO_MATCHING_LINK,
        }
        assert reads(env) == 0

    def test_message_about_a_link_waits_while_the_provider_cannot_be_asked(
        self, env: Environment, at_belvo: str
    ) -> None:
        remote_id = self.registered(env)
        deliver(at_belvo, belvo_webhook(link_id=remote_id))
        Integration.objects.update(key_state=Integration.KeyState.REJECTED)
        work()
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.outcome) == (DeliveryState.PROCESSING, DeliveryOutcome.WAITING_TO_RETRY)

        Integration.objects.update(key_state=Integration.KeyState.VALID)
        work()

        assert outcome_of(WebhookDelivery.objects.get()) == DeliveryOutcome.CHANGED


class TestSentByTheProvider:
    """The simulator's own webhooks, over real sockets."""

    @pytest.fixture
    def sending_env(
        self, env: Environment, live_server: LiveServer, at_belvo: str, at_heron: str
    ) -> Iterator[Environment]:
        env.simulator.webhooks(
            belvo_url=live_server.url + at_belvo, belvo_authorization=AUTHORIZATION, heron_secret=SECRET
        )
        webhook = {"topic": "integration_link.erroring", "url": live_server.url + at_heron, "is_enabled": True}
        requests.post(
            f"{env.simulator.url}/api/webhooks", json=webhook, headers={"x-api-key": "key_sandbox"}, timeout=10
        )
        return env

    def test_link_that_belvo_can_log_in_to_no_more_is_seen(self, sending_env: Environment) -> None:
        link = sending_env.belvo_link(cause=Cause.WORKING)
        with sending_env.simulator.store.lock:
            sending_env.simulator.store.belvo_links[link.remote_id].status = "valid"
        for _ in range(6):
            sending_env.call_belvo("PUT", f"/api/links/{link.remote_id}/", {"password": "pass_invalid"})

        assert sending_env.simulator.delivered()
        work()

        link.refresh_from_db()
        status, _message, _at = sending_env.simulator.snapshot()["belvo"][link.remote_id]
        assert (link.raw_status, {each.state for each in WebhookDelivery.objects.all()}) == (status, {"done"})

    def test_link_whose_sync_fails_at_heron_is_seen(self, sending_env: Environment) -> None:
        link = sending_env.heron_link(item_id="login-required-1", cause=Cause.PENDING)
        sending_env.clock.forward(STATUS_CHANGE_AFTER + 1)
        sending_env.simulator.snapshot()

        assert sending_env.simulator.delivered()
        work()

        link.refresh_from_db()
        assert link.health == HealthState.CUSTOMER_LOGIN.value
        assert outcome_of(WebhookDelivery.objects.get(integration=sending_env.heron)) == DeliveryOutcome.CHANGED


def test_batch_of_many_takes_the_statements_of_a_few(env: Environment, at_belvo: str) -> None:
    link, counts = env.belvo_link(), []
    for size in (2, 12):
        for _ in range(size):
            deliver(at_belvo, belvo_webhook(link_id=link.remote_id))
            deliver(at_belvo, belvo_webhook(link_id=str(uuid.uuid4())))
            deliver(at_belvo, belvo_webhook(link_id="", external_id=""))
            deliver(at_belvo, belvo_webhook(link_id="", external_id="", code="something_new"))
        with CaptureQueriesContext(connection) as done:
            assert delivery_reads.process() == 4 * size
        counts.append(len(done))

    assert counts[1] <= counts[0]


def test_message_that_breaks_us_holds_up_no_other(
    env: Environment, at_belvo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, find = env.belvo_link(), delivery_reads.matching_links

    def break_off(integration: Integration, names: set[LinkRef]) -> dict[LinkRef, list[Link]]:
        if any(named.remote_id == "poison" for named in names):
            raise ArithmeticError
        return find(integration, names)

    monkeypatch.setattr(delivery_reads, "matching_links", break_off)
    deliver(at_belvo, belvo_webhook(link_id="poison"))
    poison, good = WebhookDelivery.objects.get(), tell_of(at_belvo, link)
    work()
    assert {outcome_of(poison), outcome_of(good)} == {DeliveryState.PENDING}

    WebhookDelivery.objects.update(due_at=timezone.now())
    work()

    assert (outcome_of(poison), outcome_of(good)) == (DeliveryState.PENDING, DeliveryOutcome.CHANGED)
    assert (poison.attempts, poison.claim_token) == (2, None)
    assert poison.due_at > timezone.now() + timedelta(seconds=5)


def test_unknown_link_that_fails_waits_longer_each_time(
    env: Environment, at_belvo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_args: object, **_options: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(health, "observe_page", break_off)
    deliver(at_belvo, belvo_webhook())
    work()

    row = UnknownLinkRead.objects.get()
    assert row.attempts == 1
    assert row.claim_token is None
    assert row.due_at
    assert row.due_at > timezone.now()
