"""A provider's list of customers in a full check: the links of those are read of whom it says something new."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.models import Link
from linkadmin.providers import records
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound
from linkadmin.providers.reading import Why
from linkadmin.providers.records import RemoteEndUser, RemotePage
from linkadmin.providers.types import HealthState, RemoteLink
from linkadmin.sync.models import CustomerFingerprint, FullCheck, FullCheckBatch, SkippedRecord
from linkadmin.sync.models.left_out import note_of_full_check

from . import batches, lifecycle
from .discovery import add_unknown_links, know_customers
from .hashes import fingerprint_of, packed
from .links import Gain, count, leave_out

OF_CUSTOMER = "end_user_id"  # by this every provider that is swept by customers lists the links of one
# A link is watched until it is known to be well. One that is off stays so until the list says something else.
RESTLESS = ~Q(health=HealthState.DISCONNECTED.value) & (
    ~Q(health=HealthState.HEALTHY.value)
    | Q(fingerprint=None)
    | Q(missing_since__isnull=False)
    | Q(verifying_since__isnull=False)
)


def read_page(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    """Read one page of the provider's customers. Raises `ProviderError`."""
    requested_at = timezone.now()
    page = provider.list_end_users({}, page=int(part.key), whole=True)
    ids = packed(each.end_user_id for each in page.items)
    if not batches.note_answer(part, ids, requested_at=requested_at, total=page.total):
        return
    prints = {each.end_user_id: fingerprint_of(each) for each in page.items}
    worth = _worth_reading(integration, page.items, prints)
    know_customers({each.end_user_id: each.name for each in worth})
    with transaction.atomic():
        if batches.lock_full_check(part):
            batches.close(part)
            batches.add_customers(part.full_check, {each.end_user_id: prints[each.end_user_id] for each in worth})
            leave_out(part, SkippedRecord.Kind.CUSTOMER, page.left_out)
            lifecycle.go_on(part, page)


def read_links(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    """Read the links of one customer. Raises `ProviderError`."""
    requested_at = timezone.now()
    page: RemotePage[RemoteLink] = RemotePage(items=(), number=1, is_last=True)
    with suppress(NotFound):  # the customer is gone since the list was read
        page = provider.list_links({OF_CUSTOMER: part.key})
    _take_links(part, integration, page, requested_at)


def give_up(part: FullCheckBatch, integration: Integration, *, why: str) -> None:
    """Leave out a customer whose links cannot be read: they keep their state, and their age shows."""
    for link in Link.objects.filter(integration=integration, end_user__external_id=part.key, disconnected_at=None):
        health.note_unasked(link, why=why, at=timezone.now())
    with transaction.atomic():
        if batches.lock_full_check(part):
            batches.close(part, gave_up=True)
            note_of_full_check(part.full_check, SkippedRecord.Kind.CUSTOMER, [records.LeftOut(part.key, Why.UNREAD)])
            FullCheck.objects.filter(pk=part.full_check_id).update(unread=F("unread") + 1)


@transaction.atomic
def _take_links(
    part: FullCheckBatch, integration: Integration, page: RemotePage[RemoteLink], requested_at: datetime
) -> None:
    if not batches.lock_full_check(part):
        return
    remotes = page.items
    observed = health.observe_page(integration, remotes, at=requested_at)
    found = add_unknown_links(integration, observed.unknown_links, at=requested_at, end_user_id=part.key)
    batches.close(part, ids=packed(each.remote_id for each in remotes), requested_at=requested_at)
    count(part, Gain(len(remotes), observed.written, observed.changed, len(found)))
    leave_out(part, SkippedRecord.Kind.LINK, page.left_out)
    _store_fingerprint(part, integration)


def _worth_reading(
    integration: Integration, customers: Sequence[RemoteEndUser], prints: dict[str, int]
) -> list[RemoteEndUser]:
    """Return the customers of whom the list says something new, or whose links here are not known to be well."""
    rows = CustomerFingerprint.objects.filter(integration=integration, end_user_id__in=prints)
    before = dict(rows.values_list("end_user_id", "fingerprint"))
    here = Link.objects.filter(integration=integration, end_user__external_id__in=prints, disconnected_at=None)
    ours = set(here.values_list("end_user__external_id", flat=True))
    restless = set(here.filter(RESTLESS).values_list("end_user__external_id", flat=True))

    def is_worth_it(each: RemoteEndUser) -> bool:
        customer = each.end_user_id
        has_any = bool(each.sources) or customer in ours or customer in before
        return customer in restless or (has_any and before.get(customer) != prints[customer])

    return [each for each in customers if is_worth_it(each)]


def _store_fingerprint(part: FullCheckBatch, integration: Integration) -> None:
    assert part.fingerprint is not None  # noqa: S101 - for the types: it came with the part
    of_customer = CustomerFingerprint(integration=integration, end_user_id=part.key, fingerprint=part.fingerprint)
    unique = ["integration", "end_user_id"]
    CustomerFingerprint.objects.bulk_create(
        [of_customer], update_conflicts=True, unique_fields=unique, update_fields=["fingerprint"]
    )
