"""Reads the links that deliveries are about. What a delivery says is never trusted on its own.

A delivery names a link by its provider ID, or a customer and so all their links. What we don't know is looked up at the
provider and added.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from linkadmin.database import update_rows
from linkadmin.integrations import connections
from linkadmin.integrations.models import Integration
from linkadmin.links import due_reads, health
from linkadmin.links.models import EndUser, Link, LinkRead, Reason
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Blocked, Busy, KeysRejected, ProviderError, Rejected
from linkadmin.providers.records import FullCheckBy
from linkadmin.providers.types import LinkRef
from linkadmin.wake_worker import wake_worker
from linkadmin.webhooks import deliveries, hosted_sessions
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from linkadmin.work_queue import TimeSlice, release, retry_later

from . import reads
from .full_checks import discovery
from .models import UnknownLinkRead

logger = structlog.get_logger(__name__)

CLAIMED_AT_ONCE = 200  # deliveries
READ_AT_ONCE = 100  # unknown links or customers
ALONE_AFTER = 2  # failed reads: maybe this one ID breaks the shared request


def process() -> int:
    claimed = deliveries.claim(CLAIMED_AT_ONCE, now=timezone.now())
    by_integration = defaultdict(list)
    for delivery in sorted(claimed, key=attrgetter("wanted_at")):  # so that of several for a link, the latest wins
        by_integration[delivery.integration_id].append(delivery)
    for integration in Integration.objects.filter(pk__in=by_integration):
        _process_integration(integration, by_integration[integration.pk])
    return len(claimed)


def work(integration_id: UUID) -> bool:
    """Return whether to continue at once."""
    due = UnknownLinkRead.objects.filter(integration=integration_id).order_by("due_at")
    return reads.work_rows(integration_id, due, _look_up_all, limit=READ_AT_ONCE)


def matching_links(integration: Integration, names: Collection[LinkRef]) -> dict[LinkRef, list[Link]]:
    links = Link.objects.filter(integration=integration.companion_of_id or integration.pk, disconnected_at=None)
    by_id = {link.remote_id: [link] for link in links.filter(remote_id__in={each.remote_id for each in names} - {""})}
    customers = {each.end_user_id for each in names if not each.remote_id} - {""}
    by_customer: dict[str, list[Link]] = defaultdict(list)
    for link in links.filter(end_user__external_id__in=customers).select_related("end_user").order_by("pk"):
        by_customer[link.end_user.external_id].append(link)
    return {
        each: by_id.get(each.remote_id, []) if each.remote_id else by_customer.get(each.end_user_id, [])
        for each in names
    }


def _process_integration(integration: Integration, received: Sequence[WebhookDelivery]) -> None:
    # Retried ones alone: one that breaks us must not hold up others.
    together = [delivery for delivery in received if delivery.attempts <= 1]
    for some in (together, *([delivery] for delivery in received if delivery.attempts > 1)):
        try:
            _process(integration, some)
        except Exception as error:  # noqa: BLE001 - next time each is processed alone
            logger.error(
                "deliveries.broke", integration=str(integration.pk), named=len(some), error=type(error).__name__
            )
            retry_later([delivery for delivery in some if delivery.claim_token], error)


def _process(integration: Integration, received: Sequence[WebhookDelivery]) -> None:
    """Queue the reads before the deliveries wait for them: after a crash in between, we start over."""
    by_name = matching_links(integration, {delivery.ref for delivery in received})
    visited = hosted_sessions.note_ended({delivery.session_digest for delivery in received}, at=timezone.now())
    links = {
        delivery: [visited[delivery.session_digest]] if delivery.session_digest in visited else by_name[delivery.ref]
        for delivery in received
    }
    _read({delivery: found for delivery, found in links.items() if found})
    unknown = [delivery for delivery in received if not links[delivery]]
    _want_unknown(integration, [each for each in unknown if _can_look_up(integration, each.ref)])
    rest = [each for each in unknown if not _can_look_up(integration, each.ref)]
    deliveries.close([each for each in rest if each.is_known], DeliveryOutcome.NO_MATCHING_LINK)
    deliveries.close([each for each in rest if not each.is_known], DeliveryOutcome.UNRECOGNIZED_TYPE)
    if integration.keys_rejected or not integration.is_active:
        waiting = WebhookDelivery.objects.filter(pk__in=[each.pk for each in received], state=DeliveryState.PROCESSING)
        waiting.update(outcome=DeliveryOutcome.WAITING_TO_RETRY)


def _read(links: Mapping[WebhookDelivery, list[Link]]) -> None:
    wanted = {link.pk: delivery.wanted_at for delivery, found in links.items() for link in found}  # the latest wins
    due_reads.want_each(wanted, reason=Reason.WEBHOOK)
    deliveries.note_links(links)
    if links:
        _close_read(wanted, since=min(delivery.wanted_at for delivery in links))


@transaction.atomic
def _close_read(link_ids: Collection[UUID], *, since: datetime) -> None:
    """Close deliveries whose links were read after they arrived but before they started waiting."""
    read = LinkRead.objects.filter(pk__in=link_ids, answered_at__gte=since)
    # Under the lock that storing a read takes: it has closed what it saw, or will see what waits now.
    for row in read.select_for_update(no_key=True).order_by("pk"):
        outcome = DeliveryOutcome.CHANGED if row.found_change else DeliveryOutcome.NO_CHANGE
        if row.answered_at is not None:
            deliveries.close_read([row.link_id], began_at=row.answered_at, outcome=outcome)


def _can_look_up(integration: Integration, named: LinkRef) -> bool:
    if integration.companion_of_id:  # only the provider that has the links can look them up
        return False
    by_customer = integration.provider_class.full_check_by is FullCheckBy.CUSTOMERS
    return bool(named.end_user_id if by_customer else named.remote_id)


def _want_unknown(integration: Integration, received: Sequence[WebhookDelivery]) -> None:
    if not received:
        return
    wanted = {delivery.ref: delivery.wanted_at for delivery in received}  # the latest wins
    _want_each(integration, wanted)
    deliveries.note_links({delivery: [] for delivery in received})
    _close_answered(integration, wanted)


@transaction.atomic
def _want_each(integration: Integration, wanted: Mapping[LinkRef, datetime]) -> None:
    in_order = sorted(wanted, key=attrgetter("remote_id", "end_user_id"))
    UnknownLinkRead.objects.bulk_create(
        [
            UnknownLinkRead(
                integration=integration, due_at=None, remote_id=each.remote_id, end_user_id=each.end_user_id
            )
            for each in in_order
        ],
        ignore_conflicts=True,
    )
    changed = [row for row in _locked(integration, wanted) if row.want(wanted[row.ref])]
    update_rows(changed, ("due_at", "wanted_at", "wanted_since"))
    transaction.on_commit(lambda: wake_worker(due_reads.READ_TASK, integration.pk))


@transaction.atomic
def _close_answered(integration: Integration, names: Collection[LinkRef]) -> None:
    """Close deliveries whose lookup began after they arrived and ended before they started waiting."""
    # Under the lock that storing a read takes: it has closed what it saw, or will see what waits now.
    for row in _locked(integration, names):
        if row.answered_at is not None:
            _close(integration, [row], row.answered_at)


def _look_up_all(integration: Integration, rows: Sequence[UnknownLinkRead], time_slice: TimeSlice) -> None:
    alone = [[row] for row in rows if row.attempts > ALONE_AFTER]
    others = {row.ref: row for row in rows if row.attempts <= ALONE_AFTER}
    together = integration.provider_class.batches(list(others)) if others else []
    for call in [[others[ref] for ref in refs] for refs in together] + alone:
        if time_slice.is_over:
            release(call)
        else:
            _look_up(integration, call, time_slice)


def _look_up(integration: Integration, rows: Sequence[UnknownLinkRead], time_slice: TimeSlice) -> None:
    began_at = timezone.now()
    try:
        _add_found(integration, rows, began_at)
    except Exception as error:  # noqa: BLE001 - this request failed, the next may succeed
        if not isinstance(error, ProviderError):
            logger.error("unknown_link.failed", links=len(rows), error=type(error).__name__)
        says_no = isinstance(error, Rejected) and not isinstance(error, Blocked | Busy | KeysRejected)
        if len(rows) > 1 or not says_no:
            reads.retry_later(rows, error, time_slice)
            return
    # Either we know it by now, or no link has this ID.
    with transaction.atomic():
        reads.end(rows, lambda row: row.answer(began_at, now=timezone.now()))
        _close(integration, rows, began_at)


def _add_found(integration: Integration, rows: Sequence[UnknownLinkRead], began_at: datetime) -> None:
    provider = connections.client_for(integration, in_background=True)
    found = provider.read_links([row.ref for row in rows])
    seen = health.observe_page(integration, found, at=began_at)
    if seen.unknown_links:
        of_customer = integration.provider_class.full_check_by is FullCheckBy.CUSTOMERS
        whose = _our_id(provider, rows[0].end_user_id) if of_customer else ""
        discovery.add_unknown_links(integration, seen.unknown_links, at=began_at, end_user_id=whose)


def _our_id(provider: Provider, end_user_id: str) -> str:
    """Return our ID of a customer whom a delivery may name by the provider's ID."""
    if EndUser.objects.filter(external_id=end_user_id).exists():
        return end_user_id
    customer = provider.read_end_user(end_user_id)
    discovery.ensure_customers({customer.end_user_id: customer.name})
    return customer.end_user_id


def _close(integration: Integration, rows: Sequence[UnknownLinkRead], began_at: datetime) -> None:
    about = Q()
    for row in rows:
        about |= Q(remote_link_id=row.remote_id, end_user_id=row.end_user_id)
    # SQLite uses the index of open deliveries only if the query says that it wants no others.
    not_done = WebhookDelivery.objects.exclude(state=DeliveryState.DONE)
    reading = not_done.filter(integration=integration, state=DeliveryState.PROCESSING, links=None)
    waiting = list(reading.filter(about, wanted_at__lte=began_at))
    links = matching_links(integration, {delivery.ref for delivery in waiting})
    for delivery in waiting:
        if not links[delivery.ref]:
            deliveries.close([delivery], DeliveryOutcome.NO_MATCHING_LINK)
        elif deliveries.note_links({delivery: links[delivery.ref]}):
            ids = [link.pk for link in links[delivery.ref]]
            deliveries.close_read(ids, began_at=began_at, outcome=DeliveryOutcome.CHANGED)


def _locked(integration: Integration, names: Collection[LinkRef]) -> list[UnknownLinkRead]:
    rows = UnknownLinkRead.objects.filter(
        integration=integration,
        remote_id__in={named.remote_id for named in names},
        end_user_id__in={named.end_user_id for named in names},
    )
    return [row for row in rows.select_for_update(no_key=True).order_by("pk") if row.ref in names]
