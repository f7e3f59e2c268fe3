"""Variations of genuine deliveries: header case, no trailing slash, a day late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkadmin.links.models import LinkRead
from linkadmin.sync import delivery_reads
from linkadmin.webhooks.models import WebhookDelivery
from tests.environment import Environment

from .webhook_sender import belvo_webhook, deliver, heron_webhook, open_endpoint, signed, stored_delivery

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LATE = timedelta(days=1, minutes=1)


@pytest.mark.parametrize("shown", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("sent", ["Bearer", "bearer", "BEARER"])
def test_header_scheme_is_case_insensitive(env: Environment, shown: str, sent: str) -> None:
    address = open_endpoint(env.belvo, f"{shown} a-header-that-belvo-sends-along")

    answer = deliver(address, belvo_webhook(), {"authorization": f"{sent} a-header-that-belvo-sends-along"})

    assert answer.status_code == 202


@pytest.mark.parametrize("sent", ["bearer A-header-that-belvo-sends-along", "bearera-header-that-belvo-sends", ""])
def test_only_the_scheme_is_case_insensitive(env: Environment, sent: str) -> None:
    address = open_endpoint(env.belvo)

    assert deliver(address, belvo_webhook(), {"authorization": sent}).status_code == 401


def test_scheme_of_a_typed_secret_is_case_insensitive(env: Environment) -> None:
    open_endpoint(env.belvo)

    form = env.open(f"/integrations/{env.belvo.pk}/endpoint/", "adm").form_with("secret")

    answer = env.post(form.action, form.values | {"secret": "bearer a-new-header-of-enough-length"}, "adm")

    assert answer.status == 303


def test_url_without_trailing_slash_works(env: Environment) -> None:
    address = open_endpoint(env.belvo)
    assert address.endswith("/")
    body = belvo_webhook()

    answers = [deliver(url, body).status_code for url in (address.rstrip("/"), address)]

    assert answers == [202, 202]
    assert stored_delivery(env.belvo).copies == 2
    assert deliver(address.rstrip("/"), body, {"authorization": "Bearer of-somebody-else"}).status_code == 401


@pytest.mark.parametrize("written", ["iso", "seconds", "milliseconds", "small z"])
def test_delivery_over_a_day_old_is_stored_without_a_read(env: Environment, written: str) -> None:
    link = env.heron_link()
    at = timezone.now() - LATE
    said = {
        "iso": f'"{at.isoformat()}"',
        "seconds": f"{at.timestamp():.0f}",
        "milliseconds": f"{at.timestamp() * 1000:.0f}",
        "small z": f'"{at:%Y-%m-%dT%H:%M:%S}z"',
    }
    before, after = heron_webhook(item_id=link.remote_id).split(b'"created":', 1)
    body = before + b'"created":' + said[written].encode() + after[after.index(b',"data"') :]
    address = open_endpoint(env.heron)

    answers = [deliver(address, body, signed(body)).status_code for _time in range(2)]
    WebhookDelivery.objects.update(processed_at=timezone.now() - timedelta(hours=1))
    answers.append(deliver(address, body, signed(body)).status_code)
    delivery_reads.process()

    delivery = stored_delivery(env.heron)
    assert answers == [202] * 3
    assert (delivery.state, delivery.outcome, delivery.copies) == ("done", "late", 3)
    assert delivery.remote_created_at is not None
    assert not LinkRead.objects.filter(link=link).exists()
    assert "Late" in env.open(f"/deliveries/{delivery.pk}/", "adm").words


def test_delivery_under_a_day_old_is_processed(env: Environment) -> None:
    link = env.heron_link()
    body = heron_webhook(item_id=link.remote_id)

    deliver(open_endpoint(env.heron), body, signed(body))
    delivery_reads.process()

    assert LinkRead.objects.filter(link=link).exists()


def test_late_delivery_can_be_reprocessed(env: Environment) -> None:
    link = env.heron_link()
    late = (timezone.now() - LATE).isoformat().encode()
    before, after = heron_webhook(item_id=link.remote_id).split(b'"created":', 1)
    body = before + b'"created":"' + late + b'"' + after[after.index(b',"data"') :]
    deliver(open_endpoint(env.heron), body, signed(body))

    env.post(f"/deliveries/{stored_delivery(env.heron).pk}/reprocess/", name="mia")
    delivery_reads.process()

    assert LinkRead.objects.filter(link=link).exists()
