"""The requests of a full check: pages of links or customers, and one customer's links.

Changes are stored and unknown links added. A customer's links are read only if their list entry changed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import F, Min, Q
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.links.causes import STATES
from linkadmin.links.models import Link
from linkadmin.operations.reading import without_attempt
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound
from linkadmin.providers.reading import Why
from linkadmin.providers.records import LeftOut, RemoteEndUser, RemotePage
from linkadmin.providers.types import HealthState, RemoteLink
from linkadmin.sync.models import CustomerFingerprint, FullCheck, FullCheckBatch, SkippedRecord, note_skipped

from . import lifecycle
from .discovery import add_unknown_links, ensure_customers
from .hashes import Hashes, fingerprint_of, packed

AT_ONCE = 200  # links added under one lock
NEWS = STATES[HealthState.HEALTHY].rank  # urgency of customers who aren't in trouble, as far as we know
OF_CUSTOMER = "end_user_id"  # the filter by customer, at every provider that is checked by customers
# Links are read until they're known to be healthy. Disconnected ones stay so until their list entry changes.
RESTLESS = ~Q(health=HealthState.DISCONNECTED.value) & (
    ~Q(health=HealthState.HEALTHY.value)
    | Q(fingerprint=None)
    | Q(missing_since__isnull=False)
    | Q(verifying_since__isnull=False)
)


def read_links_page(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    requested_at, number = timezone.now(), int(part.key)
    try:
        page = provider.list_links({}, page=number, whole=True)
    except NotFound:
        if number == 1:
            raise
        page = RemotePage(items=(), number=number, is_last=True)  # the list got shorter
    take_page(part, integration, page, requested_at)


def take_page(
    part: FullCheckBatch, integration: Integration, page: RemotePage[RemoteLink], requested_at: datetime
) -> None:
    """Store what a page says: in one transaction, unless it has links to add, which take more time.

    Links are added on their own, as that locks customers, whom others lock before their links.
    """
    gain = Counter(seen=len(page.items))
    with transaction.atomic():
        ids = packed(each.remote_id for each in page.items)
        if not lifecycle.note_answer(part, ids, requested_at=requested_at, total=page.total):
            return  # another worker has taken over the batch
        observed = _observe(part, integration, page.items, requested_at)
        gain.update(written=observed.written, changed=observed.changed)
        if not observed.unknown_links:
            _close(part, page, gain)
            return
    customer = part.key if part.is_customer else ""
    rest = iter(observed.unknown_links)
    while lot := list(islice(rest, AT_ONCE)):
        gain.update(found=len(add_unknown_links(integration, lot, at=requested_at, end_user_id=customer)))
    with transaction.atomic():
        if lifecycle.lock_full_check(part):
            _close(part, page, gain)


def _observe(
    part: FullCheckBatch, integration: Integration, remotes: Sequence[RemoteLink], requested_at: datetime
) -> health.Observed:
    # Under the full check's lock, so that no later request gets in between.
    later = Hashes(lifecycle.answered_later(part, requested_at))
    wanted = [each for each in remotes if each.remote_id not in later] if len(later) else remotes
    return health.observe_page(integration, wanted, at=requested_at, understood=without_attempt)


def _close(part: FullCheckBatch, page: RemotePage[RemoteLink], gain: Mapping[str, int]) -> None:
    lifecycle.close_part(part)
    _count(part, gain)
    _leave_out(part, SkippedRecord.Kind.LINK, page.left_out, counted="skipped")
    if part.is_customer:
        _store_fingerprint(part)
    else:
        lifecycle.queue_next_pages(part, page)


def read_customers_page(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    requested_at = timezone.now()
    page = provider.list_end_users({}, page=int(part.key), whole=True)
    ids = packed(each.end_user_id for each in page.items)
    if not lifecycle.note_answer(part, ids, requested_at=requested_at, total=page.total):
        return
    fingerprints = {each.end_user_id: fingerprint_of(each) for each in page.items}
    urgencies = _worth_reading(integration, page.items, fingerprints)
    ensure_customers({each.end_user_id: each.name for each in page.items if each.end_user_id in urgencies})
    with transaction.atomic():
        if lifecycle.lock_full_check(part):
            lifecycle.close_part(part)
            lifecycle.add_customers(part.full_check, urgencies, fingerprints)
            _leave_out(part, SkippedRecord.Kind.CUSTOMER, page.left_out, counted="skipped")
            lifecycle.queue_next_pages(part, page)


def read_links_of_customer(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    requested_at = timezone.now()
    page: RemotePage[RemoteLink] = RemotePage(items=(), number=1, is_last=True)
    with suppress(NotFound):  # the customer was deleted after the list was read
        page = provider.list_links({OF_CUSTOMER: part.key})
    take_page(part, integration, page, requested_at)


def give_up_customer(part: FullCheckBatch, integration: Integration, *, why: str) -> None:
    """Skip a customer whose links can't be read: they keep their state, and pages show its age."""
    for link in Link.objects.filter(integration=integration, end_user__external_id=part.key, disconnected_at=None):
        health.note_failed_check(link, why=why, at=timezone.now())
    with transaction.atomic():
        if lifecycle.lock_full_check(part):
            lifecycle.close_part(part, gave_up=True)
            _leave_out(part, SkippedRecord.Kind.CUSTOMER, [LeftOut(part.key, Why.UNREAD)], counted="unread")


def _worth_reading(
    integration: Integration, customers: Sequence[RemoteEndUser], fingerprints: dict[str, int]
) -> dict[str, int]:
    """Customers whose links need a read, each with the urgency of the one that needs it most."""
    rows = CustomerFingerprint.objects.filter(integration=integration, end_user_id__in=fingerprints)
    before = dict(rows.values_list("end_user_id", "fingerprint"))
    here = Link.objects.filter(integration=integration, end_user__external_id__in=fingerprints, disconnected_at=None)
    ours = set(here.values_list("end_user__external_id", flat=True))
    restless = here.filter(RESTLESS).order_by().values_list("end_user__external_id")
    urgencies = dict(restless.annotate(most_urgent=Min("urgency")))

    def is_worth_it(each: RemoteEndUser) -> bool:
        customer = each.end_user_id
        has_any = bool(each.sources) or customer in ours or customer in before
        return customer in urgencies or (has_any and before.get(customer) != fingerprints[customer])

    return {each.end_user_id: urgencies.get(each.end_user_id, NEWS) for each in customers if is_worth_it(each)}


def _store_fingerprint(part: FullCheckBatch) -> None:
    assert part.fingerprint is not None  # noqa: S101 - for the types: it came with the part
    integration = part.full_check.integration
    of_customer = CustomerFingerprint(integration=integration, end_user_id=part.key, fingerprint=part.fingerprint)
    unique = ["integration", "end_user_id"]
    CustomerFingerprint.objects.bulk_create(
        [of_customer], update_conflicts=True, unique_fields=unique, update_fields=["fingerprint"]
    )


def _count(part: FullCheckBatch, gain: Mapping[str, int]) -> None:
    more = {name: F(name) + number for name, number in gain.items()}
    FullCheck.objects.filter(pk=part.full_check_id).update(**more)


def _leave_out(part: FullCheckBatch, kind: SkippedRecord.Kind, left_out: Sequence[LeftOut], *, counted: str) -> None:
    if left_out:
        _count(part, {counted: len(left_out)})
        note_skipped(part.full_check.integration, kind, left_out, full_check=part.full_check)
