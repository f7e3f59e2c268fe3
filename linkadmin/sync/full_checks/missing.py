"""Decides what's missing from a whole list: unlisted links are, until a second read confirms they're gone."""

from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.links import due_reads, health
from linkadmin.links.models import Link, Reason
from linkadmin.operations.models import Operation
from linkadmin.providers.records import FullCheckBy
from linkadmin.providers.types import HealthState
from linkadmin.sync.models import CustomerFingerprint, FullCheck, FullCheckBatch, FullCheckState

from . import lifecycle
from .hashes import Hashes

T = TypeVar("T")

Kind = FullCheckBatch.BatchKind

FEW = 20  # links may always be missing; of many links, a tenth
SHARE = 10
AT_ONCE = 500  # links


def conclude(full_check: FullCheck) -> None:
    """End a full check whose batches are all done: mark missing links, unless implausibly many are."""
    of_links = full_check.integration.provider_class.full_check_by is FullCheckBy.LINKS
    listed = Hashes(_ids(full_check, Kind.PAGE, Kind.END))
    seen = listed if of_links else Hashes(_ids(full_check, Kind.CUSTOMER))
    missing = list(_unlisted(full_check, listed) if of_links else _of_unlisted_customers(full_check, listed, seen))
    most = max(FEW, _known(full_check).count() // SHARE)
    if len(missing) > most and not _is_confirmed(full_check):
        lifecycle.fail(full_check, _too_many(len(missing)), missing=len(missing))
        return
    now = timezone.now()
    for some in _lots(missing):
        health.note_missing(some, at=now)
        due_reads.want(some, reason=Reason.MISSING, at=now)
    if not of_links:
        _forget_unlisted_customers(full_check, listed)
    lifecycle.complete(full_check, seen=len(seen), missing=len(missing))


def _ids(full_check: FullCheck, *kinds: Kind) -> Iterator[bytes | memoryview]:
    parts = full_check.parts.filter(kind__in=kinds, done_at__isnull=False).order_by("pk")
    yield from parts.values_list("ids", flat=True).iterator()


def _unlisted(full_check: FullCheck, listed: Hashes) -> Iterator[UUID]:
    for link_id, remote_id in _known(full_check).values_list("pk", "remote_id").iterator():
        if remote_id not in listed:
            yield link_id


def _of_unlisted_customers(full_check: FullCheck, listed: Hashes, seen: Hashes) -> Iterator[UUID]:
    # If a customer's list entry is unchanged, so are all their links.
    read = set(full_check.parts.filter(kind=Kind.CUSTOMER, gave_up=False).values_list("key", flat=True).iterator())
    columns = ("pk", "remote_id", "end_user__external_id")
    for link_id, remote_id, customer in _known(full_check).values_list(*columns).iterator():
        if customer not in listed or (customer in read and remote_id not in seen):
            yield link_id


def _known(full_check: FullCheck) -> "QuerySet[Link]":
    """Return the links the list must have."""
    links = Link.objects.filter(
        integration=full_check.integration_id, created_at__lt=full_check.started_at, disconnected_at=None
    )
    at_work = Operation.objects.open().filter(integration=full_check.integration_id, end_user__isnull=False)
    return links.exclude(health=HealthState.DISCONNECTED.value).exclude(end_user__in=at_work.values("end_user"))


def _is_confirmed(full_check: FullCheck) -> bool:
    before = FullCheck.objects.filter(integration=full_check.integration_id, started_at__lt=full_check.started_at)
    last = before.order_by("-started_at").first()
    was_reported = last is not None and last.state == FullCheckState.FAILED and last.missing > 0
    return full_check.started_by_id is not None and was_reported


def _too_many(links: int) -> str:
    return _(
        "%(count)d links are missing from the provider's list. That's too many to be plausible, so they all "
        "keep their status. Check that the base URL and API keys belong to the right account. If the links "
        "are really gone, run a full check: it checks each of them again."
    ) % {"count": links}


def _forget_unlisted_customers(full_check: FullCheck, listed: Hashes) -> None:
    fingerprints = CustomerFingerprint.objects.filter(integration=full_check.integration_id).values_list(
        "pk", "end_user_id"
    )
    gone = [pk for pk, end_user_id in fingerprints.iterator() if end_user_id not in listed]
    # If these customers come back, their links are read.
    for some in _lots(gone):
        CustomerFingerprint.objects.filter(pk__in=some).delete()


def _lots(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
