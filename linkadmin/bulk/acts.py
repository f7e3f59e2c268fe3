"""What is done about the links of one part: read by one call, or written to in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.links import assignees, due_reads, health, notes
from linkadmin.links.models import Link, Reason
from linkadmin.operations import reading
from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError
from linkadmin.work_queue import retry_later, wait_after

from . import parts
from .models import BulkJob, BulkPart, ItemState, JobKind
from .parts import Result
from .words import SkipReason

logger = structlog.get_logger(__name__)

SECOND_LOOK_AFTER = timedelta(seconds=10)


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
        parts.end(part, gone | {link.pk: (ItemState.SKIPPED, SkipReason.OFF) for link in asked})
        return None
    parts.note_before(part)
    try:
        missing = {link.pk for link in reading.read_many(asked)} if asked else set()
    except ProviderError as error:
        if not wait_after(error).is_attempt:
            return retry_later([part], error)
        _give_up(part, asked, gone, error)
        return None
    due_reads.want(missing, reason=Reason.MISSING, at=timezone.now() + SECOND_LOOK_AFTER)
    parts.note_after(part)
    found = {link.pk: (ItemState.DONE, SkipReason.NOT_LISTED if link.pk in missing else "") for link in asked}
    parts.end(part, gone | found)
    return None


@transaction.atomic
def write(job: BulkJob, part: BulkPart) -> None:
    """Do to each of a part's links what the job says, in the transaction that ends the part."""
    if parts.close(part):
        act = _WRITTEN[JobKind(job.kind)]
        parts.store(part, {link.pk: act(job, link) for link in _links_of(part)})


def note_broken(part: BulkPart, error: Exception) -> None:
    """Try a part again later that broke off here; end it if it always does."""
    logger.error("bulk.broken", part=part.pk, attempts=part.attempts, error=type(error).__name__)
    if not parts.try_later(part, error):
        links = part.items.values_list("link", flat=True)
        parts.end(part, dict.fromkeys(links, (ItemState.FAILED, SkipReason.BROKEN)))


def _links_of(part: BulkPart) -> list[Link]:
    links = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(bulk_items__part=part.pk).order_by("pk"))  # in one order, so that no two block each other


def _give_up(part: BulkPart, asked: list[Link], gone: dict[UUID, Result], error: ProviderError) -> None:
    """Try a part again later if the line failed, and end it with the reason if it always does."""
    if isinstance(error, NotSent | OutcomeUnknown) and parts.try_later(part, error):
        return
    why, now = reading.why_unasked(error), timezone.now()
    for link in asked:
        health.note_unasked(link, why=why, at=now)
    parts.end(part, gone | {link.pk: (ItemState.FAILED, why) for link in asked})


def _assign(job: BulkJob, link: Link) -> Result:
    if link.is_disconnected:
        return ItemState.SKIPPED, SkipReason.ENDED
    change = assignees.assign(link, by=job.actor, assignee=job.assignee, job_id=job.pk)
    return (ItemState.DONE, "") if change else (ItemState.SKIPPED, SkipReason.SAME_ASSIGNEE)


def _note(job: BulkJob, link: Link) -> Result:
    if link.is_disconnected:
        return ItemState.SKIPPED, SkipReason.ENDED
    notes.add_note(link, by=job.actor, text=job.text, job_id=job.pk)
    return ItemState.DONE, ""


_WRITTEN = {JobKind.ASSIGN: _assign, JobKind.NOTE: _note}
