"""Parts of a job: claimed, done by one call or in one transaction, and ended with a result for each link."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.links import due_reads, health, staff_work
from linkadmin.links.models import VERIFYING, Link, Reason
from linkadmin.operations import reading
from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError
from linkadmin.work_queue import retry_later, wait_after

from .models import BulkJob, BulkPart, ItemState, JobKind, JobState, SkipReason

logger = structlog.get_logger(__name__)

Result = tuple[ItemState, str]  # and why, where it is not plainly done

MOST_ATTEMPTS = 3
SECOND_LOOK_AFTER = timedelta(seconds=10)
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
    if _close(part):
        _store(part, results)


def _close(part: BulkPart) -> bool:
    """End a part in the transaction of what it did; False if somebody else has it by now."""
    return bool(work_queue.held(part).update(**work_queue.RELEASED, done_at=timezone.now()))


def _store(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    links_by_result: dict[Result, list[UUID]] = {}
    for link_id, result in results.items():
        links_by_result.setdefault(result, []).append(link_id)
    for (state, why), links in links_by_result.items():
        part.items.filter(link__in=links).update(state=state, why=why[:80], finished_at=timezone.now())


def note_before(part: BulkPart) -> None:
    """Note the states in which a part finds its links; a restarted one has found them already."""
    part.items.filter(before="").update(before=_STATE)


def _try_later(part: BulkPart, error: Exception) -> bool:
    """Retry a part later that met an error; False if it was tried often enough."""
    if part.attempts >= MOST_ATTEMPTS:
        return False
    work_queue.retry_later([part], error, at_least=BETWEEN_ATTEMPTS)
    return True


def read(part: BulkPart) -> datetime | None:
    """Read a part's links and end it, or let it wait; return until when its integration can't be asked.

    Never contacts a bank.
    """
    links = _links_of(part)
    gone: dict[UUID, Result] = {
        link.pk: (ItemState.SKIPPED, SkipReason.ENDED) for link in links if link.is_disconnected
    }
    asked = [link for link in links if not link.is_disconnected]
    if part.integration is None or not part.integration.is_active:
        end(part, gone | {link.pk: (ItemState.SKIPPED, SkipReason.OFF) for link in asked})
        return None
    note_before(part)
    try:
        missing = {link.pk for link in reading.read_many(asked)} if asked else set()
    except ProviderError as error:
        if not wait_after(error).is_attempt:
            return retry_later([part], error)
        _give_up(part, asked, gone, error)
        return None
    due_reads.want(missing, reason=Reason.MISSING, at=timezone.now() + SECOND_LOOK_AFTER)
    part.items.update(after=_STATE)
    found = {link.pk: (ItemState.DONE, SkipReason.NOT_LISTED if link.pk in missing else "") for link in asked}
    end(part, gone | found)
    return None


@transaction.atomic
def write(job: BulkJob, part: BulkPart) -> None:
    """Do to each of a part's links what the job says, in the transaction that ends the part."""
    if _close(part):
        act = _WRITTEN[JobKind(job.kind)]
        ended = (ItemState.SKIPPED, SkipReason.ENDED)
        _store(part, {link.pk: ended if link.is_disconnected else act(job, link) for link in _links_of(part)})


def note_broken(part: BulkPart, error: Exception) -> None:
    """Try a part again later that broke off here; end it if it always does."""
    logger.error("bulk.broken", part=part.pk, attempts=part.attempts, error=type(error).__name__)
    if not _try_later(part, error):
        links = part.items.values_list("link", flat=True)
        end(part, dict.fromkeys(links, (ItemState.FAILED, SkipReason.BROKEN)))


def _links_of(part: BulkPart) -> list[Link]:
    links = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(bulk_items__part=part.pk).order_by("pk"))  # in one order, so that no two block each other


def _give_up(part: BulkPart, asked: list[Link], gone: dict[UUID, Result], error: ProviderError) -> None:
    """Try a part again later if the line failed, and end it with the reason if it always does."""
    if isinstance(error, NotSent | OutcomeUnknown) and _try_later(part, error):
        return
    why, now = reading.why_check_failed(error), timezone.now()
    for link in asked:
        health.note_failed_check(link, why=why, at=now)
    end(part, gone | {link.pk: (ItemState.FAILED, why) for link in asked})


def _assign(job: BulkJob, link: Link) -> Result:
    change = staff_work.assign(link, by=job.actor, assignee=job.assignee, job_id=job.pk)
    return (ItemState.DONE, "") if change else (ItemState.SKIPPED, SkipReason.SAME_ASSIGNEE)


def _note(job: BulkJob, link: Link) -> Result:
    staff_work.add_note(link, by=job.actor, text=job.text, job_id=job.pk)
    return ItemState.DONE, ""


_WRITTEN = {JobKind.ASSIGN: _assign, JobKind.NOTE: _note}
