"""Links that messages name and we do not know: asked for by their id or their customer's, and taken over."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from linkadmin.integrations import connections
from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.due_reads import READ_TASK
from linkadmin.links.models import EndUser
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Blocked, Busy, KeysRejected, ProviderError, Rejected
from linkadmin.providers.records import FullCheckBy
from linkadmin.providers.types import LinkRef
from linkadmin.wake_worker import wake_worker
from linkadmin.webhooks import deliveries
from linkadmin.webhooks.models import DeliveryOutcome, DeliveryState, WebhookDelivery
from linkadmin.work_queue import TimeSlice, release

from . import queue
from .full_checks import discovery
from .matching import Named, links_named, named_by
from .models import UnknownLinkRead

logger = structlog.get_logger(__name__)

CLAIMED_AT_ONCE = 100
ALONE_AFTER = 2  # reads in vain: perhaps it is this one id that spoils the call


def can_be_asked_for(integration: Integration, named: Named) -> bool:
    """Tell whether a provider can be asked for what a message names."""
    if integration.provider_class.full_check_by is FullCheckBy.CUSTOMERS:
        return bool(named.end_user_id)
    return bool(named.remote_id)


@transaction.atomic
def want_each(integration: Integration, wishes: Mapping[Named, datetime]) -> None:
    """Have each of them asked for by a read that begins after its moment."""
    if not wishes:
        return
    UnknownLinkRead.objects.bulk_create(
        [UnknownLinkRead(integration=integration, due_at=None, **named._asdict()) for named in sorted(wishes)],
        ignore_conflicts=True,
    )
    changed = [row for row in _kept(integration, wishes) if row.want(wishes[_named(row)])]
    UnknownLinkRead.objects.bulk_update(changed, ("due_at", "wanted_at", "wanted_since"), batch_size=200)
    transaction.on_commit(lambda: wake_worker(READ_TASK, integration.pk))


def work(integration_id: UUID) -> bool:
    """Ask for what is due of an integration; tell whether it has to go on at once."""
    due = UnknownLinkRead.objects.filter(integration=integration_id).order_by("due_at")
    return queue.work(integration_id, due, _ask_for_all, limit=CLAIMED_AT_ONCE)


@transaction.atomic
def close_answered(integration: Integration, names: Collection[Named]) -> None:
    """Close the messages about what was asked for since they came, before they waited for it."""
    # Under the lock of who takes note of a read: it has closed by now what it saw, or will see what waits by now.
    for row in _kept(integration, names):
        if row.answered_at is not None:
            _close(integration, [row], row.answered_at)


def _ask_for_all(integration: Integration, rows: Sequence[UnknownLinkRead], time_slice: TimeSlice) -> None:
    alone = [[row] for row in rows if row.attempts > ALONE_AFTER]
    others = {_ref(row): row for row in rows if row.attempts <= ALONE_AFTER}
    together = integration.provider_class.batches(list(others)) if others else []
    for call in [[others[ref] for ref in refs] for refs in together] + alone:
        if time_slice.is_over:
            release(call)
        else:
            _ask_for(integration, call, time_slice)


def _ask_for(integration: Integration, rows: Sequence[UnknownLinkRead], time_slice: TimeSlice) -> None:
    began_at = timezone.now()
    try:
        _take_over(integration, rows, began_at)
    except ProviderError as error:
        if _says_no(error) and len(rows) == 1:  # there is none with such an id
            _conclude(integration, rows, began_at)
            return
        queue.retry_later(rows, error, time_slice)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this call, the next one may be right
        logger.error("unknown_link.failed", links=len(rows), error=type(error).__name__)
        queue.retry_later(rows, error, time_slice)
    else:
        _conclude(integration, rows, began_at)


def _take_over(integration: Integration, rows: Sequence[UnknownLinkRead], began_at: datetime) -> None:
    provider = connections.client_for(integration, in_background=True)
    found = provider.read_links([_ref(row) for row in rows])
    seen = health.observe_page(integration, found, at=began_at)
    if seen.unknown_links:
        of_customer = integration.provider_class.full_check_by is FullCheckBy.CUSTOMERS
        whose = _our_id(provider, rows[0].end_user_id) if of_customer else ""
        discovery.add_unknown_links(integration, seen.unknown_links, at=began_at, end_user_id=whose)


def _our_id(provider: Provider, end_user_id: str) -> str:
    """Return our id of a customer whom a message may name by the provider's."""
    if EndUser.objects.filter(external_id=end_user_id).exists():
        return end_user_id
    customer = provider.read_end_user(end_user_id)
    discovery.know_customers({customer.end_user_id: customer.name})
    return customer.end_user_id


def _says_no(error: ProviderError) -> bool:
    return isinstance(error, Rejected) and not isinstance(error, Blocked | Busy | KeysRejected)


@transaction.atomic
def _conclude(integration: Integration, rows: Sequence[UnknownLinkRead], began_at: datetime) -> None:
    queue.end(rows, lambda row: row.answer(began_at, now=timezone.now()))
    _close(integration, rows, began_at)


def _close(integration: Integration, rows: Sequence[UnknownLinkRead], began_at: datetime) -> None:
    """Close what waited for these reads: with the links that are known by now, or without any."""
    about = Q()
    for row in rows:
        about |= Q(remote_link_id=row.remote_id, end_user_id=row.end_user_id)
    reading = WebhookDelivery.objects.filter(integration=integration, state=DeliveryState.PROCESSING, links=None)
    waiting = list(reading.filter(about, wanted_at__lte=began_at))
    links = links_named(integration, {named_by(delivery) for delivery in waiting})
    for delivery in waiting:
        if not links[named_by(delivery)]:
            deliveries.close(delivery, DeliveryOutcome.NO_MATCHING_LINK)
        elif deliveries.note_links(delivery, links[named_by(delivery)]):
            ids = [link.pk for link in links[named_by(delivery)]]
            deliveries.close_read(ids, began_at=began_at, outcome=DeliveryOutcome.CHANGED)


def _kept(integration: Integration, names: Collection[Named]) -> list[UnknownLinkRead]:
    """Return the rows of these names, locked."""
    rows = UnknownLinkRead.objects.filter(
        integration=integration,
        remote_id__in={named.remote_id for named in names},
        end_user_id__in={named.end_user_id for named in names},
    )
    return [row for row in rows.select_for_update(no_key=True).order_by("pk") if _named(row) in names]


def _named(row: UnknownLinkRead) -> Named:
    return Named(row.remote_id, row.end_user_id)


def _ref(row: UnknownLinkRead) -> LinkRef:
    return LinkRef(row.remote_id, row.end_user_id)
