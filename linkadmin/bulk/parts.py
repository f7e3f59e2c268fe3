"""Parts of a job: claimed, retried later, or ended with a result for each link, in one transaction."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.links.models import VERIFYING, Link

from .models import BulkJob, BulkPart, ItemState, JobState

Result = tuple[ItemState, str]  # and why, where it is not plainly done

MOST_ATTEMPTS = 3
BETWEEN_ATTEMPTS = timedelta(seconds=30)  # so that a provider may be away for a minute
_SHOWN = Case(When(verifying_since__isnull=False, then=Value(VERIFYING)), default=F("health"))
_STATE = Subquery(Link.objects.filter(pk=OuterRef("link")).annotate(state=_SHOWN).values("state"))  # of an item's link


def undone(job: BulkJob) -> "QuerySet[BulkPart]":
    """Return the parts that are still to be done."""
    return job.parts.filter(done_at=None)


def claim(job: BulkJob, *, limit: int, without: Collection[UUID] = ()) -> list[BulkPart]:
    """Claim parts of a running job that are due, `without` those of some integrations."""
    due = undone(job).filter(job__state=JobState.RUNNING).exclude(integration__in=without)
    in_order = due.select_related("integration").order_by("pk")
    return work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())


@transaction.atomic
def end(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    """Keep what became of a part's links, unless somebody else has the part by now."""
    if close(part):
        store(part, results)


def close(part: BulkPart) -> bool:
    """End a part in the transaction of what it did; False if somebody else has it by now."""
    return bool(work_queue.held(part).update(**work_queue.RELEASED, done_at=timezone.now()))


def store(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    links_by_result: dict[Result, list[UUID]] = {}
    for link_id, result in results.items():
        links_by_result.setdefault(result, []).append(link_id)
    for (state, why), links in links_by_result.items():
        part.items.filter(link__in=links).update(state=state, why=why[:80], finished_at=timezone.now())


def note_before(part: BulkPart) -> None:
    """Note the states in which a part finds its links; a restarted one has found them already."""
    part.items.filter(before="").update(before=_STATE)


def note_after(part: BulkPart) -> None:
    """Note the states in which a part leaves its links."""
    part.items.update(after=_STATE)


def try_later(part: BulkPart, error: Exception) -> bool:
    """Retry a part later that met an error; False if it was tried often enough."""
    if part.attempts >= MOST_ATTEMPTS:
        return False
    work_queue.retry_later([part], error, at_least=BETWEEN_ATTEMPTS)
    return True
