"""Takes a delivery in: stores it in one statement, counts copies, wakes a worker. Nothing else happens here."""

from datetime import datetime, timedelta
from uuid import UUID

from linkadmin.providers.http.redaction import Redactor
from linkadmin.providers.records import WebhookHint, WebhookKind
from linkadmin.wake_worker import WakeSoon

from . import arrivals, deliveries, payloads
from .arrivals import Arrival
from .endpoints import LoadedEndpoint
from .models import DeliveryOutcome, timed_id

MAX_BODY = 64 * 1024  # bytes
LATE_AFTER = timedelta(days=1)  # by the provider's own time
PROCESS_TASK = "webhooks.process_deliveries"  # defined in sync, which reads what a delivery names
PAUSE_SECONDS = 0.15  # between two wake-ups from one process

_UNREADABLE = WebhookHint(kind=WebhookKind.UNKNOWN, topic="", known=False)
_waker = WakeSoon(PROCESS_TASK, PAUSE_SECONDS)


def take(endpoint: LoadedEndpoint, body: bytes, *, signed_with: UUID, now: datetime) -> None:
    arrival = _arrival(endpoint, body, signed_with=signed_with, now=now)
    is_new = arrivals.store(arrival)
    is_pending = arrival.outcome is None
    if is_pending and (is_new or deliveries.reprocess_late_copy(endpoint.integration_id, arrival.key, now=now)):
        _waker.set()


def _arrival(endpoint: LoadedEndpoint, body: bytes, *, signed_with: UUID, now: datetime) -> Arrival:
    payload, outcome = "{}", None
    try:
        hint = endpoint.provider_class.read_webhook(body)
        sent = endpoint.provider_class.secrets_in_webhook(body)
        payload = payloads.cleaned(body, Redactor(sent) if sent else endpoint.redactor)
    except ValueError:
        # Only the size is stored, and there's nothing to process.
        hint, outcome = _UNREADABLE, DeliveryOutcome.INVALID_PAYLOAD
    else:
        # Full checks since then have already read what it's about.
        if hint.created_at is not None and hint.created_at < now - LATE_AFTER:
            outcome = DeliveryOutcome.LATE
    return Arrival(
        id=timed_id(now),
        integration_id=endpoint.integration_id,
        key=endpoint.provider_class.webhook_key(body),
        secret_id=signed_with,
        received_at=now,
        size=len(body),
        hint=hint,
        payload=payload,
        outcome=outcome,
    )
