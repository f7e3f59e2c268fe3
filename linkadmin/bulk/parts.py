"""Parts of a job: claimed, processed by one request or in one transaction, and finished with a result per link.

Parts that are read side by side are claimed and finished together: one transaction for several.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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

from .models import BulkItem, BulkJob, BulkPart, ItemState, JobKind, JobState, SkipReason

logger = structlog.get_logger(__name__)

Result = tuple[ItemState, str]  # with the reason, unless it's simply done


@dataclass(frozen=True, slots=True)
class Finished:
    """A part with a result for each of its links."""

    part: BulkPart
    results: Mapping[UUID, Result]
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A part that will be tried again. `held_until`: its integration can't be reached before."""

    part: BulkPart
    held_until: datetime | None = None


MAX_ATTEMPTS = 3
SECOND_CHECK_AFTER = timedelta(seconds=10)
BETWEEN_ATTEMPTS = timedelta(seconds=30)  # covers a provider outage of a minute
_SHOWN = Case(When(verifying_since__isnull=False, then=Value(VERIFYING)), default=F("health"))
# The status of an item's link.
_STATE = Subquery(Link.objects.filter(pk=OuterRef("link")).annotate(state=_SHOWN).values("state"))


def open_parts(job: BulkJob) -> "QuerySet[BulkPart]":
    return job.parts.filter(done_at=None)


@transaction.atomic
def claim(job: BulkJob, *, limit: int, without: Collection[UUID] = ()) -> list[BulkPart]:
    """`without` has the IDs of integrations to skip."""
    due = open_parts(job).filter(job__state=JobState.RUNNING).exclude(integration__in=without)
    in_order = due.select_related("integration").order_by("pk")
    claimed = work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())
    if job.asks_provider:
        # A retry keeps the status from before the first attempt.
        BulkItem.objects.filter(part__in=claimed, before="").update(before=_STATE)
    return claimed


@transaction.atomic
def finish(some: Sequence[Finished]) -> None:
    """Save the results of parts, except for those that another worker has claimed since."""
    ours = _close([each.part for each in some])
    _store([each for each in some if each.part.pk in ours])


def _close(some: Sequence[BulkPart]) -> set[int]:
    """Call it in the transaction of the parts' work. Returns those that no other worker has claimed since."""
    rows = BulkPart.objects.filter(pk__in=[part.pk for part in some]).order_by("pk").select_for_update(no_key=True)
    tokens = dict(rows.values_list("pk", "claim_token"))
    ours = {part.pk for part in some if tokens.get(part.pk) == part.claim_token}
    BulkPart.objects.filter(pk__in=ours).update(**work_queue.RELEASED, done_at=timezone.now())
    return ours


def _store(some: Sequence[Finished]) -> None:
    links_by_result: dict[tuple[Result, bool], list[UUID]] = defaultdict(list)
    for each in some:
        for link_id, result in each.results.items():
            links_by_result[result, each.is_read].append(link_id)
    items = BulkItem.objects.filter(part__in=[each.part for each in some])
    for ((state, why), is_read), links in links_by_result.items():
        after = {"after": _STATE} if is_read else {}
        items.filter(link__in=links).update(state=state, why=why[:80], finished_at=timezone.now(), **after)


def _try_later(part: BulkPart, error: Exception) -> bool:
    if part.attempts >= MAX_ATTEMPTS:
        return False
    work_queue.retry_later([part], error, at_least=BETWEEN_ATTEMPTS)
    return True


def read(part: BulkPart) -> Finished | Waiting:
    """Check the links of a part. Never contacts a bank."""
    links = _links_of(part)
    gone: dict[UUID, Result] = {
        link.pk: (ItemState.SKIPPED, SkipReason.ENDED) for link in links if link.is_disconnected
    }
    asked = [link for link in links if not link.is_disconnected]
    if part.integration is None or not part.integration.is_active:
        return Finished(part, gone | {link.pk: (ItemState.SKIPPED, SkipReason.OFF) for link in asked})
    try:
        missing = {link.pk for link in reading.read_many(asked)} if asked else set()
    except ProviderError as error:
        if not wait_after(error).is_attempt:
            return Waiting(part, retry_later([part], error))
        return _given_up(part, asked, gone, error)
    due_reads.want(missing, reason=Reason.MISSING, at=timezone.now() + SECOND_CHECK_AFTER)
    found = {link.pk: (ItemState.DONE, SkipReason.NOT_LISTED if link.pk in missing else "") for link in asked}
    return Finished(part, gone | found, is_read=True)


@transaction.atomic
def write(job: BulkJob, part: BulkPart) -> None:
    """Applied at most once per link: in the transaction that finishes the part."""
    if _close([part]):
        act = _WRITTEN[JobKind(job.kind)]
        ended = (ItemState.SKIPPED, SkipReason.ENDED)
        results = {link.pk: ended if link.is_disconnected else act(job, link) for link in _links_of(part)}
        _store([Finished(part, results)])


def note_broken(part: BulkPart, error: Exception) -> None:
    logger.error("bulk.broken", part=part.pk, attempts=part.attempts, error=type(error).__name__)
    if not _try_later(part, error):
        links = part.items.values_list("link", flat=True)
        finish([Finished(part, dict.fromkeys(links, (ItemState.FAILED, SkipReason.BROKEN)))])


def _links_of(part: BulkPart) -> list[Link]:
    links = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(bulk_items__part=part.pk).order_by("pk"))  # one order, to avoid deadlocks


def _given_up(part: BulkPart, asked: list[Link], gone: dict[UUID, Result], error: ProviderError) -> Finished | Waiting:
    if isinstance(error, NotSent | OutcomeUnknown) and _try_later(part, error):
        return Waiting(part)
    why, now = reading.why_check_failed(error), timezone.now()
    for link in asked:
        health.note_failed_check(link, why=why, at=now)
    return Finished(part, gone | {link.pk: (ItemState.FAILED, why) for link in asked})


def _assign(job: BulkJob, link: Link) -> Result:
    change = staff_work.assign(link, by=job.actor, assignee=job.assignee, job_id=job.pk)
    return (ItemState.DONE, "") if change else (ItemState.SKIPPED, SkipReason.SAME_ASSIGNEE)


def _note(job: BulkJob, link: Link) -> Result:
    staff_work.add_note(link, by=job.actor, text=job.text, job_id=job.pk)
    return ItemState.DONE, ""


_WRITTEN = {JobKind.ASSIGN: _assign, JobKind.NOTE: _note}
