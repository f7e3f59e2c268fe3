"""The work on messages: claimed by whoever works, closed by the reads they led to, and begun anew on request.

The row is the truth. A worker that dies holds a message for a minute; one whose reads never came is looked at again.
"""

from collections.abc import Collection, Iterable
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

LOOK_AGAIN = timedelta(minutes=10)  # at a message whose links are still unread
COPIES_COME_WITHIN = timedelta(minutes=10)  # of the work on a message: later ones may tell of something new
MOST_REPROCESSED = 10_000  # by one click
UNREAD = Q(read_at=None) | Q(read_at__lt=F("delivery__wanted_at"))  # of a message's links


def claim(limit: int, *, now: datetime) -> list[WebhookDelivery]:
    """Claim deliveries to process, the longest due first, whether they are new or their reads never came."""
    waiting = WebhookDelivery.objects.exclude(state=DeliveryState.DONE).order_by("due_at")
    return work_queue.claim(waiting, now=now, limit=limit, lease=work_queue.call_lease())


@transaction.atomic
def note_links(delivery: WebhookDelivery, links: Iterable[Link]) -> bool:
    """Note which links a claimed message is about: it is done once all of them are read. Tell whether it was ours."""
    again = timezone.now() + LOOK_AGAIN
    if not _release(delivery, state=DeliveryState.PROCESSING, due_at=again, outcome=""):
        return False
    rows = [DeliveryLink(delivery=delivery, link=link) for link in links]
    if delivery.attempts > 1 or delivery.reprocess_count:  # it may be about others than it was the last time
        delivery.delivery_links.exclude(link__in=[row.link_id for row in rows]).delete()
    DeliveryLink.objects.bulk_create(rows, ignore_conflicts=True)
    return True


@transaction.atomic
def close_read(link_ids: Collection[UUID], *, began_at: datetime, outcome: str) -> int:
    """Close what waited for reads of these links that began at `began_at`; return how many messages are done by it.

    A message is done when all its links were read since it came; it changed something if any of them did change.
    """
    told = WebhookDelivery.objects.filter(state=DeliveryState.PROCESSING, wanted_at__lte=began_at)
    waiting = DeliveryLink.objects.filter(UNREAD, link__in=link_ids, delivery__in=told)
    touched = list(waiting.values_list("pk", "delivery_id"))
    if not touched:
        return 0
    # Two reads that end at once: the later one has to see what the earlier one closed.
    locked = WebhookDelivery.objects.select_for_update().order_by("pk")
    list(locked.filter(pk__in={delivery for _pk, delivery in touched}).values_list("pk"))
    DeliveryLink.objects.filter(pk__in=[pk for pk, _delivery in touched]).update(read_at=began_at, outcome=outcome)
    links = DeliveryLink.objects.filter(delivery=OuterRef("pk"))
    changed = When(Exists(links.filter(outcome=DeliveryOutcome.CHANGED)), then=Value(DeliveryOutcome.CHANGED.value))
    complete = told.filter(~Exists(links.filter(UNREAD)), pk__in={delivery for _pk, delivery in touched})
    return complete.update(
        outcome=Case(changed, default=Value(str(outcome))),
        state=DeliveryState.DONE,
        processed_at=timezone.now(),
        **RELEASED,
    )


def close(delivery: WebhookDelivery, outcome: DeliveryOutcome) -> bool:
    """Close a claimed message that needs no read. Tell whether it was still ours."""
    return _release(delivery, state=DeliveryState.DONE, outcome=outcome, processed_at=timezone.now())


@transaction.atomic
def reprocess(chosen: "QuerySet[WebhookDelivery]", *, by: User, object_id: object = "") -> int:
    """Have messages worked again, at most MOST_REPROCESSED of them, the newest first; return how many.

    `object_id` is the one that was chosen by itself.
    """
    newest = _reprocessable(chosen).order_by("-pk").values("pk")[:MOST_REPROCESSED]
    again = _anew(timezone.now()) | {"reprocess_count": F("reprocess_count") + 1, "reprocessed_by": by}
    first = Case(When(first_outcome="", then=F("outcome")), default=F("first_outcome"))
    begun = _reprocessable(WebhookDelivery.objects.filter(pk__in=newest)).update(first_outcome=first, **again)
    record(
        actor=by,
        action=Action.DELIVERY_REPROCESSED,
        object_type=ObjectType.DELIVERY,
        object_id=object_id,
        outcome=Outcome.DONE if begun else Outcome.REJECTED,
        details={"deliveries": begun},
    )
    return begun


def work_late_copy(integration_id: UUID, key: str, *, now: datetime) -> bool:
    """Have a message worked again of which a copy comes long after: what reads the same may tell of something new."""
    same = WebhookDelivery.objects.filter(
        integration=integration_id, key=key, processed_at__lt=now - COPIES_COME_WITHIN
    )
    return bool(_reprocessable(same).update(**_anew(now)))


def _reprocessable(deliveries: "QuerySet[WebhookDelivery]") -> "QuerySet[WebhookDelivery]":
    return deliveries.filter(state=DeliveryState.DONE).exclude(outcome=DeliveryOutcome.INVALID_PAYLOAD)


def _anew(now: datetime) -> dict[str, object]:
    """Return the columns of a message that somebody has to work on from now on."""
    none_yet = {**RELEASED, "outcome": "", "attempts": 0, "processed_at": None}
    return none_yet | {"state": DeliveryState.PENDING, "wanted_at": now, "due_at": now}


def _release(delivery: WebhookDelivery, **values: object) -> bool:
    """Write what became of a claimed message, unless the claim is over and somebody else has it."""
    if not held(delivery).exclude(state=DeliveryState.DONE).update(**RELEASED, **values):
        return False
    delivery.claim_token = delivery.lease_until = None
    return True
