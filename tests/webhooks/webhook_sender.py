"""Sends webhooks as the providers do, signed as each of them signs, and forged ones."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.types import Secret
from linkadmin.webhooks import deliveries, endpoints
from linkadmin.webhooks.intake import with_intake
from linkadmin.webhooks.models import DeliveryOutcome, WebhookDelivery

AUTHORIZATION = "Bearer a-header-that-belvo-sends-along"
SECRET = "sec_that-heron-signs-with"
TODAY = timezone.now().isoformat()
PASSED_ON = 421
FORGED = {"authorization": "Bearer a-header-that-somebody-guessed"}


def open_endpoint(integration: Integration, *texts: str) -> str:
    """Give an integration an endpoint with secrets; return its URL path."""
    endpoint = endpoints.renew(integration, by=None)
    for number, text in enumerate(texts or [AUTHORIZATION if integration.provider == "belvo" else SECRET]):
        endpoints.add_secret(integration, Secret(text), by=None, after=number)
    endpoints.forget()
    return endpoint.address


def belvo_webhook(code: str = "invalid_credentials", type: str = "LINK", **more: Any) -> bytes:
    said = {
        "webhook_id": "f1d5c3a0",
        "webhook_type": type,
        "webhook_code": code,
        "link_id": str(uuid.uuid4()),
        "request_id": str(uuid.uuid4()),
        "external_id": "cus-1",
        "data": {"error_code": "login_error"},
    }
    return json.dumps(said | more).encode()


def heron_webhook(topic: str = "integration_link.erroring", **data: str) -> bytes:
    said = {"topic": topic, "created": TODAY, "data": {"item_id": "item-1"} | data, "meta": None}
    return json.dumps(said, separators=(",", ":")).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"Heron-Signature": base64.b64encode(digest).decode()}


def deliver(address: str, body: bytes, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Post a webhook, by default as Belvo does."""
    chosen = {"host": "testserver"} | ({"authorization": AUTHORIZATION} if headers is None else dict(headers))
    return send(
        RequestFactory().generic("POST", address, body, content_type="application/json", headers=chosen).environ
    )


def send(environ: Mapping[str, Any]) -> HttpResponse:
    """Send a request to the server's interface, as gunicorn does. What would reach Django answers PASSED_ON."""
    answer = HttpResponse()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        answer.status_code, answer.headers = int(status.split()[0]), HttpResponse(headers=dict(headers)).headers

    answer.content = b"".join(_intake(dict(environ), start_response))
    return answer


def _django(_environ: object, start_response: Any) -> list[bytes]:
    start_response(f"{PASSED_ON} Passed on", [])
    return []


_intake = with_intake(_django)


def stored_delivery(integration: Integration, **more: Any) -> WebhookDelivery:
    """Return the only stored delivery."""
    return WebhookDelivery.objects.get(integration=integration, **more)


def mark_processed(
    delivery: WebhookDelivery, *links: Link, outcome: DeliveryOutcome = DeliveryOutcome.NO_CHANGE
) -> None:
    """Process a delivery like a worker whose reads of these links had this outcome."""
    [claimed] = deliveries.claim(1, now=timezone.now())
    assert claimed == delivery
    if links:
        deliveries.note_links({claimed: links})
        began_at = timezone.now() + timedelta(microseconds=1)
        deliveries.close_read([link.pk for link in links], began_at=began_at, outcome=outcome)
    else:
        deliveries.close([claimed], outcome)
