"""Links that a provider lists in a full check: changes are written, and links we don't know are added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import health
from linkadmin.operations.reading import without_attempt
from linkadmin.providers import records
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import NotFound
from linkadmin.providers.records import RemotePage
from linkadmin.providers.types import RemoteLink
from linkadmin.sync.models import FullCheck, FullCheckBatch, SkippedRecord
from linkadmin.sync.models.left_out import note_of_full_check

from . import batches, lifecycle
from .discovery import add_unknown_links
from .hashes import Hashes, packed

AT_ONCE = 200  # links that are written under one lock


@dataclass(slots=True)
class Gain:
    """What a part brought."""

    seen: int = 0
    written: int = 0
    changed: int = 0
    found: int = 0
    skipped: int = 0


def read_page(part: FullCheckBatch, integration: Integration, provider: Provider) -> None:
    """Read one page of the provider's links. Raises `ProviderError`."""
    requested_at, number = timezone.now(), int(part.key)
    try:
        page = provider.list_links({}, page=number, whole=True)
    except NotFound:
        if number == 1:
            raise
        page = RemotePage(items=(), number=number, is_last=True)  # the list got shorter meanwhile
    ids = packed(each.remote_id for each in page.items)
    if not batches.note_answer(part, ids, requested_at=requested_at, total=page.total):
        return
    gain = take_links(part, integration, page.items, requested_at)
    with transaction.atomic():
        if batches.lock_full_check(part):
            batches.close(part)
            count(part, gain)
            leave_out(part, SkippedRecord.Kind.LINK, page.left_out)
            lifecycle.go_on(part, page)


def take_links(
    part: FullCheckBatch, integration: Integration, remotes: Sequence[RemoteLink], requested_at: datetime
) -> Gain:
    """Take a page of links into account, in small lots; stop when another worker has taken its part over."""
    gain, rest = Gain(seen=len(remotes)), iter(remotes)
    while lot := list(islice(rest, AT_ONCE)):
        observed = _observe(part, integration, lot, requested_at)
        if observed is None:
            break
        gain.written += observed.written
        gain.changed += observed.changed
        gain.found += len(add_unknown_links(integration, observed.unknown_links, at=requested_at))
    return gain


def count(part: FullCheckBatch, gain: Gain) -> None:
    """Add what a part brought to what its full check shows."""
    FullCheck.objects.filter(pk=part.full_check_id).update(
        seen=F("seen") + gain.seen,
        written=F("written") + gain.written,
        changed=F("changed") + gain.changed,
        found=F("found") + gain.found,
        skipped=F("skipped") + gain.skipped,
    )


def leave_out(part: FullCheckBatch, kind: SkippedRecord.Kind, left_out: Sequence[records.LeftOut]) -> None:
    """Count and name what a page has and we can't take over."""
    if left_out:
        count(part, Gain(skipped=len(left_out)))
        note_of_full_check(part.full_check, kind, left_out)


@transaction.atomic
def _observe(
    part: FullCheckBatch, integration: Integration, lot: Sequence[RemoteLink], requested_at: datetime
) -> health.Observed | None:
    # Under the lock of the full check: no part that was asked for later gets in between.
    if not batches.lock_full_check(part):
        return None
    later = Hashes(batches.answered_later(part, requested_at))
    wanted = [each for each in lot if each.remote_id not in later]
    return health.observe_page(integration, wanted, at=requested_at, understood=without_attempt)
