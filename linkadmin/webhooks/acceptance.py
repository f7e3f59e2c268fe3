"""Takes a delivery in: stores it in one statement, counts copies, wakes a worker. Nothing else happens here."""

from datetime import datetime, timedelta
from uuid import UUID

from linkadmin.wake_worker import WakeSoon

from . import deliveries, payloads
from .endpoints import LoadedEndpoint
from .models import DeliveryOutcome, DeliveryState, WebhookDelivery, insert_or_add, timed_id

MAX_BODY = 64 * 1024  # bytes
LATE_AFTER = timedelta(days=1)  # by the provider's own time
PROCESS_TASK = "webhooks.process_deliveries"  # defined in sync, which reads what a delivery names
PAUSE_SECONDS = 0.5  # between two wake-ups from one process

_waker = WakeSoon(PROCESS_TASK, PAUSE_SECONDS)


def take(endpoint: LoadedEndpoint, body: bytes, *, signed_with: UUID, now: datetime) -> None:
    delivery = _delivery(endpoint, body, now=now)
    delivery.secret_id = signed_with
    is_new = insert_or_add(delivery, unique=("integration_id", "key"), counter="copies") == 1
    is_pending = delivery.state == DeliveryState.PENDING
    if is_pending and (is_new or deliveries.reprocess_late_copy(endpoint.integration_id, delivery.key, now=now)):
        _waker.set()


def _delivery(endpoint: LoadedEndpoint, body: bytes, *, now: datetime) -> WebhookDelivery:
    delivery = WebhookDelivery(
        id=timed_id(now),
        integration_id=endpoint.integration_id,
        key=endpoint.provider_class.webhook_key(body),
        size=len(body),
        received_at=now,
        wanted_at=now,
        due_at=now,
    )
    try:
        hint, delivery.payload = endpoint.provider_class.read_webhook(body), payloads.cleaned(body, endpoint.redactor)
    except ValueError:
        # Only the size is stored, and there's nothing to process.
        delivery.outcome = DeliveryOutcome.INVALID_PAYLOAD
    else:
        delivery.kind, delivery.topic = hint.kind.value, hint.topic
        delivery.remote_link_id, delivery.end_user_id = hint.remote_link_id, hint.end_user_id
        delivery.consent_id, delivery.request_id = hint.consent_id, hint.request_id
        delivery.remote_created_at = hint.created_at
        if hint.created_at is not None and hint.created_at < now - LATE_AFTER:
            # Full checks since then have already read what it's about.
            delivery.outcome = DeliveryOutcome.LATE
    if delivery.outcome:
        delivery.state, delivery.processed_at = DeliveryState.DONE, now
    return delivery
