"""Processes deliveries: claimed by workers, closed by the reads they lead to, reprocessed on request.

All state is in the row. If a worker dies, its delivery is claimed again after a minute, and so is one whose reads never
came.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links.models import Link
from linkadmin.work_queue import RELEASED, held

from .models import DeliveryLink, DeliveryOutcome, DeliveryState, WebhookDelivery

LOOK_AGAIN = timedelta(minutes=10)  # at a delivery whose links are still unread
COPIES_COME_WITHIN = timedelta(minutes=10)  # after processing; later copies may be about something new
MAX_REPROCESSED = 10_000  # per click
WRITTEN_AT_ONCE = 500  # links of deliveries
UNREAD = Q(read_at=None) | Q(read_at__lt=F("delivery__wanted_at"))  # links of a delivery


def claim(limit: int, *, now: datetime) -> list[WebhookDelivery]:
    """Claim deliveries to process, the longest due first: new ones, and those whose reads never came."""
    waiting = WebhookDelivery.objects.exclude(state=DeliveryState.DONE).order_by("due_at")
    return work_queue.claim(waiting, now=now, limit=limit, lease=work_queue.call_lease())


@transaction.atomic
def note_links(links_of: Mapping[WebhookDelivery, Collection[Link]]) -> set[WebhookDelivery]:
    """Store which links deliveries of one claim are about; each is done once all of its links are read.

    Returns those whose claim we haven't lost.
    """
    held_ids = _lock(list(links_of))
    again = timezone.now() + LOOK_AGAIN
    noted = {delivery for delivery in links_of if delivery.pk in held_ids}
    _release(noted, state=DeliveryState.PROCESSING, due_at=again, outcome="")
    for delivery in noted:
        if delivery.attempts > 1 or delivery.reprocess_count:  # it may match other links than last time
            delivery.delivery_links.exclude(link__in=links_of[delivery]).delete()
    rows = [DeliveryLink(delivery=delivery, link=link) for delivery in noted for link in links_of[delivery]]
    DeliveryLink.objects.bulk_create(rows, ignore_conflicts=True, batch_size=WRITTEN_AT_ONCE)
    return noted


@transaction.atomic
def close_read(link_ids: Collection[UUID], *, began_at: datetime, outcome: str) -> int:
    """Close deliveries waiting for reads of these links that began at `began_at`; return how many are done.

    A delivery is done when all its links were read after it arrived. It changed something if any of them changed.
    """
    processing = WebhookDelivery.objects.filter(state=DeliveryState.PROCESSING, wanted_at__lte=began_at)
    waiting = DeliveryLink.objects.filter(UNREAD, link__in=link_ids, delivery__in=processing)
    touched = list(waiting.values_list("pk", "delivery_id"))
    if not touched:
        return 0
    # If two reads end at once, the later one must see what the earlier one closed.
    locked = WebhookDelivery.objects.select_for_update(no_key=True).order_by("pk")
    list(locked.filter(pk__in={delivery for _pk, delivery in touched}).values_list("pk"))
    DeliveryLink.objects.filter(pk__in=[pk for pk, _delivery in touched]).update(read_at=began_at, outcome=outcome)
    links = DeliveryLink.objects.filter(delivery=OuterRef("pk"))
    changed = When(Exists(links.filter(outcome=DeliveryOutcome.CHANGED)), then=Value(DeliveryOutcome.CHANGED.value))
    complete = processing.filter(~Exists(links.filter(UNREAD)), pk__in={delivery for _pk, delivery in touched})
    return complete.update(
        outcome=Case(changed, default=Value(str(outcome))),
        state=DeliveryState.DONE,
        processed_at=timezone.now(),
        **RELEASED,
    )


@transaction.atomic
def close(closed: Sequence[WebhookDelivery], outcome: DeliveryOutcome) -> int:
    """Close deliveries of one claim. Returns how many, without those whose claim we lost."""
    held_ids = _lock(closed)
    held_ones = {delivery for delivery in closed if delivery.pk in held_ids}
    _release(held_ones, state=DeliveryState.DONE, outcome=outcome, processed_at=timezone.now())
    return len(held_ones)


@transaction.atomic
def reprocess(chosen: "QuerySet[WebhookDelivery]", *, by: User, object_id: object = "") -> int:
    """Queue deliveries again, newest first, at most MAX_REPROCESSED; return how many.

    `object_id` goes to the audit log when a single delivery was chosen.
    """
    newest = _reprocessable(chosen).order_by("-pk").values("pk")[:MAX_REPROCESSED]
    again = _pending_columns(timezone.now()) | {"reprocess_count": F("reprocess_count") + 1, "reprocessed_by": by}
    first = Case(When(first_outcome="", then=F("outcome")), default=F("first_outcome"))
    queued = _reprocessable(WebhookDelivery.objects.filter(pk__in=newest)).update(first_outcome=first, **again)
    record(
        actor=by,
        action=Action.DELIVERY_REPROCESSED,
        object_type=ObjectType.DELIVERY,
        object_id=object_id,
        outcome=Outcome.DONE if queued else Outcome.REJECTED,
        details={"deliveries": queued},
    )
    return queued


def reprocess_late_copy(integration_id: UUID, key: str, *, now: datetime) -> bool:
    """Process a delivery again if a copy arrives much later: the same text may be about something new."""
    same = WebhookDelivery.objects.filter(
        integration=integration_id, key=key, processed_at__lt=now - COPIES_COME_WITHIN
    )
    return bool(_reprocessable(same).update(**_pending_columns(now)))


def _reprocessable(deliveries: "QuerySet[WebhookDelivery]") -> "QuerySet[WebhookDelivery]":
    return deliveries.filter(state=DeliveryState.DONE).exclude(outcome=DeliveryOutcome.INVALID_PAYLOAD)


def _pending_columns(now: datetime) -> dict[str, object]:
    none_yet = {**RELEASED, "outcome": "", "attempts": 0, "processed_at": None}
    return none_yet | {"state": DeliveryState.PENDING, "wanted_at": now, "due_at": now}


def _lock(claimed: Sequence[WebhookDelivery]) -> set[UUID]:
    """Lock deliveries that we still hold, in the order everyone uses."""
    if not claimed:
        return set()
    open_ones = held(*claimed).exclude(state=DeliveryState.DONE)
    return set(open_ones.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _release(locked: Collection[WebhookDelivery], **values: object) -> None:
    ids = [delivery.pk for delivery in locked]
    WebhookDelivery.objects.filter(pk__in=ids).update(**RELEASED, **values)
    for delivery in locked:
        delivery.claim_token = delivery.lease_until = None
