"""Parts of a job: claimed with a lease, put off, or ended with what became of their links.

A claim is one UPDATE, an end one transaction, and both hold only as long as the lease does. Whoever is killed in
between loses it, and somebody else begins the part anew.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, OuterRef, Subquery, Value, When
from django.utils import timezone

from linkadmin.links.models import PROVING, Link

from .models import BulkJob, BulkPart, BulkPartQuerySet, ItemState, JobState

Result = tuple[ItemState, str]  # and why, where it is not plainly done

LOOKED_AT = 8  # more than one, since others claim as well
PAUSES = (10.0, 60.0)  # seconds before a part that failed is begun again
_SHOWN = Case(When(proving_since__isnull=False, then=Value(PROVING)), default=F("health"))
_STATE = Subquery(Link.objects.filter(pk=OuterRef("link")).annotate(state=_SHOWN).values("state"))  # of an item's link


def claim(job: BulkJob, *, without: Collection[UUID] = ()) -> BulkPart | None:
    """Take a part of a running job that waits for nothing; None if there is none, `without` some integrations."""
    now = timezone.now()
    running = BulkJob.objects.filter(pk=job.pk, state=JobState.RUNNING)
    due = BulkPart.objects.due(now=now).filter(job__in=running).exclude(integration__in=without)
    # A call may turn out to be two, and what came of them is to be written.
    seconds = 2 * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS
    lease_until = now + timedelta(seconds=seconds)
    for pk in due.order_by("pk").values_list("pk", flat=True)[:LOOKED_AT]:
        if BulkPart.objects.due(now=now).filter(pk=pk, job__in=running).update(lease_until=lease_until):
            return BulkPart.objects.select_related("integration").get(pk=pk)
    return None


@transaction.atomic
def end(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    """Keep what became of a part's links, unless somebody else has the part by now."""
    if close(part):
        keep(part, results)


def close(part: BulkPart) -> bool:
    """End a part in the transaction of what it did; False if somebody else has it by now."""
    return bool(_ours(part).update(done_at=timezone.now(), lease_until=None))


def keep(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    links_by_result: dict[Result, list[UUID]] = {}
    for link_id, result in results.items():
        links_by_result.setdefault(result, []).append(link_id)
    for (state, why), links in links_by_result.items():
        part.items.filter(link__in=links).update(state=state, why=why[:80], ended_at=timezone.now())


def note_before(part: BulkPart) -> None:
    """Note the states in which a part finds its links; a restarted one has found them already."""
    part.items.filter(before="").update(before=_STATE)


def note_after(part: BulkPart) -> None:
    """Note the states in which a part leaves its links."""
    part.items.update(after=_STATE)


def put_off(part: BulkPart, *, until: datetime) -> None:
    """Give a part back: nothing was done, and nothing can be before `until`."""
    _ours(part).update(due_at=until, lease_until=None)


def try_later(part: BulkPart) -> bool:
    """Give a part back that was tried in vain; False if it was tried often enough."""
    if part.tries >= len(PAUSES):
        return False
    until = timezone.now() + timedelta(seconds=PAUSES[part.tries])
    _ours(part).update(due_at=until, lease_until=None, tries=part.tries + 1)
    return True


def _ours(part: BulkPart) -> BulkPartQuerySet:
    return BulkPart.objects.filter(pk=part.pk, lease_until=part.lease_until, done_at=None)
