"""Real webhooks of the simulated providers, over real sockets, with copies and in any order."""

import pytest
from pytest_django.live_server_helper import LiveServer

from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.webhooks import refusals
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment
from tests.waiting import wait_until

from .webhook_sender import AUTHORIZATION, SECRET, open_endpoint

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_belvo_reports_a_new_link(env: Environment, live_server: LiveServer) -> None:
    address = open_endpoint(env.belvo)
    env.simulator.webhooks(belvo_url=f"{live_server.url}{address}", belvo_authorization=AUTHORIZATION)

    link = env.belvo_link()

    assert env.simulator.delivered()
    told = WebhookDelivery.objects.filter(remote_link_id=link.remote_id)
    assert {delivery.kind for delivery in told} == {"data_arrived"}
    assert refusals.last_hour(env.belvo) == 0


def test_heron_reports_a_new_customer(env: Environment, live_server: LiveServer) -> None:
    address = open_endpoint(env.heron)
    env.simulator.webhooks(heron_secret=SECRET)
    env.call_heron("POST", "/api/webhooks", {"topic": "end_user.created", "url": f"{live_server.url}{address}"})

    link = env.heron_link()

    assert env.simulator.delivered()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.topic, delivery.end_user_id) == ("end_user.created", link.end_user.external_id)


def test_copies_of_a_real_webhook_are_stored_once(env: Environment, live_server: LiveServer) -> None:
    env.simulator.configure(SimulatorSettings(webhook_copies=5))
    address = open_endpoint(env.belvo)
    env.simulator.webhooks(belvo_url=f"{live_server.url}{address}", belvo_authorization=AUTHORIZATION)

    link = env.belvo_link()

    assert env.simulator.delivered()
    copies = WebhookDelivery.objects.filter(remote_link_id=link.remote_id).values_list("copies", flat=True)
    assert set(copies) == {5}


def test_webhook_with_another_header_is_rejected(env: Environment, live_server: LiveServer) -> None:
    address = open_endpoint(env.belvo)
    env.simulator.webhooks(belvo_url=f"{live_server.url}{address}", belvo_authorization="Bearer another-one-entirely")

    env.belvo_link()

    wait_until(lambda: refusals.last_hour(env.belvo))
    assert not WebhookDelivery.objects.exists()
