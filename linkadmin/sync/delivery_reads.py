"""What messages of the providers lead to: reads of the links they are about. What they say is never believed itself."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import due_reads
from linkadmin.links.models import Link, LinkRead, Reason
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from linkadmin.work_queue import retry_later

from . import unknown_links
from .matching import Named, links_named, named_by

logger = structlog.get_logger(__name__)

CLAIMED_AT_ONCE = 200  # messages


def process() -> int:
    """Have the links read that some waiting messages are about, and close those that need no read; return how many."""
    claimed = deliveries.claim(CLAIMED_AT_ONCE, now=timezone.now())
    by_integration = defaultdict(list)
    for delivery in claimed:
        by_integration[delivery.integration_id].append(delivery)
    for integration in Integration.objects.filter(pk__in=by_integration):
        _take_apart(integration, by_integration[integration.pk])
    return len(claimed)


def _take_apart(integration: Integration, told: Sequence[WebhookDelivery]) -> None:
    """Take messages together, and alone those that were taken in vain: one that breaks us must not hold up others."""
    together = [delivery for delivery in told if delivery.attempts <= 1]
    for some in (together, *([delivery] for delivery in told if delivery.attempts > 1)):
        try:
            _take(integration, some)
        except Exception as error:  # noqa: BLE001 - next time each of them is taken alone
            logger.error(
                "deliveries.broke", integration=str(integration.pk), named=len(some), error=type(error).__name__
            )
            retry_later([delivery for delivery in some if delivery.claim_token], error)


def _take(integration: Integration, told: Sequence[WebhookDelivery]) -> None:
    """Want the reads first and let the messages wait for them after: dying in between, we begin anew."""
    links = links_named(integration, {named_by(delivery) for delivery in told})
    known = [delivery for delivery in told if links[named_by(delivery)]]
    unknown = [delivery for delivery in told if not links[named_by(delivery)]]
    _read(known, links)
    asked = [each for each in unknown if unknown_links.can_be_asked_for(integration, named_by(each))]
    _ask_for(integration, asked)
    for delivery in unknown:
        if delivery not in asked:
            deliveries.close(
                delivery, DeliveryOutcome.NO_MATCHING_LINK if delivery.is_known else DeliveryOutcome.UNRECOGNIZED_TYPE
            )
    if integration.keys_rejected or not integration.is_active:
        waiting = WebhookDelivery.objects.filter(pk__in=[each.pk for each in told], state=DeliveryState.PROCESSING)
        waiting.update(outcome=DeliveryOutcome.WAITING_TO_RETRY)


def _read(told: Sequence[WebhookDelivery], links: Mapping[Named, list[Link]]) -> None:
    wishes: dict[UUID, datetime] = {}
    for delivery in told:
        for link in links[named_by(delivery)]:
            wishes[link.pk] = max(delivery.wanted_at, wishes.get(link.pk, delivery.wanted_at))
    due_reads.want_each(wishes, reason=Reason.WEBHOOK)
    for delivery in told:
        deliveries.note_links(delivery, links[named_by(delivery)])
    if told:
        _close_read(wishes, since=min(delivery.wanted_at for delivery in told))


@transaction.atomic
def _close_read(link_ids: Collection[UUID], *, since: datetime) -> None:
    """Close messages whose links were read since they came, before they waited for it."""
    read = LinkRead.objects.filter(pk__in=link_ids, answered_at__gte=since)
    # Under the lock of who takes note of a read: it has closed by now what it saw, or will see what waits by now.
    for row in read.select_for_update(no_key=True).order_by("pk"):
        outcome = DeliveryOutcome.CHANGED if row.found_change else DeliveryOutcome.NO_CHANGE
        if row.answered_at is not None:
            deliveries.close_read([row.link_id], began_at=row.answered_at, outcome=outcome)


def _ask_for(integration: Integration, told: Sequence[WebhookDelivery]) -> None:
    wishes: dict[Named, datetime] = {}
    for delivery in told:
        named = named_by(delivery)
        wishes[named] = max(delivery.wanted_at, wishes.get(named, delivery.wanted_at))
    unknown_links.want_each(integration, wishes)
    for delivery in told:
        deliveries.note_links(delivery, [])
    unknown_links.close_answered(integration, wishes)
