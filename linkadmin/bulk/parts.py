"""Parts of a job: claimed, processed by one request or in one transaction, and finished with a result per link."""

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

Result = tuple[ItemState, str]  # with the reason, unless it's simply done

MAX_ATTEMPTS = 3
SECOND_CHECK_AFTER = timedelta(seconds=10)
BETWEEN_ATTEMPTS = timedelta(seconds=30)  # covers a provider outage of a minute
_SHOWN = Case(When(verifying_since__isnull=False, then=Value(VERIFYING)), default=F("health"))
# The status of an item's link.
_STATE = Subquery(Link.objects.filter(pk=OuterRef("link")).annotate(state=_SHOWN).values("state"))


def open_parts(job: BulkJob) -> "QuerySet[BulkPart]":
    return job.parts.filter(done_at=None)


def claim(job: BulkJob, *, limit: int, without: Collection[UUID] = ()) -> list[BulkPart]:
    """`without` has the IDs of integrations to skip."""
    due = open_parts(job).filter(job__state=JobState.RUNNING).exclude(integration__in=without)
    in_order = due.select_related("integration").order_by("pk")
    return work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())


@transaction.atomic
def finish(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    """Save the results of a part's links, unless another worker has claimed the part since."""
    if _close(part):
        _store(part, results)


def _close(part: BulkPart) -> bool:
    """Call it in the transaction of the part's work; False if another worker has claimed the part since."""
    return bool(work_queue.held(part).update(**work_queue.RELEASED, done_at=timezone.now()))


def _store(part: BulkPart, results: Mapping[UUID, Result]) -> None:
    links_by_result: dict[Result, list[UUID]] = {}
    for link_id, result in results.items():
        links_by_result.setdefault(result, []).append(link_id)
    for (state, why), links in links_by_result.items():
        part.items.filter(link__in=links).update(state=state, why=why[:80], finished_at=timezone.now())


def note_before(part: BulkPart) -> None:
    # A retry keeps the status from before the first attempt.
    part.items.filter(before="").update(before=_STATE)


def _try_later(part: BulkPart, error: Exception) -> bool:
    if part.attempts >= MAX_ATTEMPTS:
        return False
    work_queue.retry_later([part], error, at_least=BETWEEN_ATTEMPTS)
    return True


def read(part: BulkPart) -> datetime | None:
    """Check the links of a part and finish it, or leave it waiting.

    Never contacts a bank. Returns until when its integration can't be reached, if it can't.
    """
    links = _links_of(part)
    gone: dict[UUID, Result] = {
        link.pk: (ItemState.SKIPPED, SkipReason.ENDED) for link in links if link.is_disconnected
    }
    asked = [link for link in links if not link.is_disconnected]
    if part.integration is None or not part.integration.is_active:
        finish(part, gone | {link.pk: (ItemState.SKIPPED, SkipReason.OFF) for link in asked})
        return None
    note_before(part)
    try:
        missing = {link.pk for link in reading.read_many(asked)} if asked else set()
    except ProviderError as error:
        if not wait_after(error).is_attempt:
            return retry_later([part], error)
        _give_up(part, asked, gone, error)
        return None
    due_reads.want(missing, reason=Reason.MISSING, at=timezone.now() + SECOND_CHECK_AFTER)
    part.items.update(after=_STATE)
    found = {link.pk: (ItemState.DONE, SkipReason.NOT_LISTED if link.pk in missing else "") for link in asked}
    finish(part, gone | found)
    return None


@transaction.atomic
def write(job: BulkJob, part: BulkPart) -> None:
    """Applied at most once per link: in the transaction that finishes the part."""
    if _close(part):
        act = _WRITTEN[JobKind(job.kind)]
        ended = (ItemState.SKIPPED, SkipReason.ENDED)
        _store(part, {link.pk: ended if link.is_disconnected else act(job, link) for link in _links_of(part)})


def note_broken(part: BulkPart, error: Exception) -> None:
    logger.error("bulk.broken", part=part.pk, attempts=part.attempts, error=type(error).__name__)
    if not _try_later(part, error):
        links = part.items.values_list("link", flat=True)
        finish(part, dict.fromkeys(links, (ItemState.FAILED, SkipReason.BROKEN)))


def _links_of(part: BulkPart) -> list[Link]:
    links = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(bulk_items__part=part.pk).order_by("pk"))  # one order, to avoid deadlocks


def _give_up(part: BulkPart, asked: list[Link], gone: dict[UUID, Result], error: ProviderError) -> None:
    if isinstance(error, NotSent | OutcomeUnknown) and _try_later(part, error):
        return
    why, now = reading.why_check_failed(error), timezone.now()
    for link in asked:
        health.note_failed_check(link, why=why, at=now)
    finish(part, gone | {link.pk: (ItemState.FAILED, why) for link in asked})


def _assign(job: BulkJob, link: Link) -> Result:
    change = staff_work.assign(link, by=job.actor, assignee=job.assignee, job_id=job.pk)
    return (ItemState.DONE, "") if change else (ItemState.SKIPPED, SkipReason.SAME_ASSIGNEE)


def _note(job: BulkJob, link: Link) -> Result:
    staff_work.add_note(link, by=job.actor, text=job.text, job_id=job.pk)
    return ItemState.DONE, ""


_WRITTEN = {JobKind.ASSIGN: _assign, JobKind.NOTE: _note}
