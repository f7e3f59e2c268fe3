"""What is done about the links of one part: read by one call, or written to in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.links import health, notes, owners
from linkadmin.links.models import Link
from linkadmin.links.pauses import HELD_BACK
from linkadmin.operations import reading
from linkadmin.providers.errors import Busy, KeysRefused, NotSent, OutcomeUnknown, ProviderError
from linkadmin.sync import reads
from linkadmin.sync.models import Reason

from . import parts
from .models import BulkJob, BulkPart, ItemState, JobKind
from .parts import Result
from .words import Why

logger = structlog.get_logger(__name__)

HELD_SECONDS = 5.0  # where nobody says for how long
SECOND_LOOK_AFTER = timedelta(seconds=10)
KEYS_SECONDS = 60.0  # until it is seen whether refused keys are good again


@dataclass(frozen=True, slots=True)
class Held:
    """An integration that lets its links wait."""

    integration_id: UUID | None
    until: datetime


def read(part: BulkPart) -> Held | None:
    """Read a part's links and end it, or put it off. Never contacts a bank."""
    links = _links_of(part)
    gone: dict[UUID, Result] = {link.pk: (ItemState.SKIPPED, Why.ENDED) for link in links if link.is_ended}
    asked = [link for link in links if not link.is_ended]
    if part.integration is None or not part.integration.is_active:
        parts.end(part, gone | {link.pk: (ItemState.SKIPPED, Why.OFF) for link in asked})
        return None
    parts.note_before(part)
    try:
        missing = {link.pk for link in reading.read_many(asked)} if asked else set()
    except ProviderError as error:
        held = _put_off(part, error)
        if held is None:
            _give_up(part, asked, gone, error)
        return held
    reads.want(missing, reason=Reason.MISSING, at=timezone.now() + SECOND_LOOK_AFTER)
    parts.note_after(part)
    found = {link.pk: (ItemState.DONE, Why.NOT_LISTED if link.pk in missing else "") for link in asked}
    parts.end(part, gone | found)
    return None


@transaction.atomic
def write(job: BulkJob, part: BulkPart) -> None:
    """Do to each of a part's links what the job says, in the transaction that ends the part."""
    if parts.close(part):
        act = _WRITTEN[JobKind(job.kind)]
        parts.keep(part, {link.pk: act(job, link) for link in _links_of(part)})


def note_broken(part: BulkPart, error: Exception) -> None:
    """Try a part again later that broke off here; end it if it always does."""
    logger.error("bulk.broken", part=part.pk, tries=part.tries, error=type(error).__name__)
    if not parts.try_later(part):
        links = part.items.values_list("link", flat=True)
        parts.end(part, dict.fromkeys(links, (ItemState.FAILED, Why.BROKEN)))


def _links_of(part: BulkPart) -> list[Link]:
    links = Link.objects.select_related("integration", "end_user", "institution")
    return list(links.filter(bulk_items__part=part.pk).order_by("pk"))  # in one order, so that no two block each other


def _put_off(part: BulkPart, error: ProviderError) -> Held | None:
    """Let a part wait if nothing can be asked of its integration for now."""
    failure = error.failure
    if isinstance(error, KeysRefused):
        seconds = KEYS_SECONDS
    elif isinstance(error, Busy) or failure.reason in HELD_BACK:
        seconds = failure.retry_after or HELD_SECONDS
    else:
        return None
    held = Held(part.integration_id, timezone.now() + timedelta(seconds=seconds))
    parts.put_off(part, until=held.until)
    return held


def _give_up(part: BulkPart, asked: list[Link], gone: dict[UUID, Result], error: ProviderError) -> None:
    """Try a part again later if the line failed, and end it with the reason if it always does."""
    if isinstance(error, NotSent | OutcomeUnknown) and parts.try_later(part):
        return
    why, now = reading.why_unasked(error), timezone.now()
    for link in asked:
        health.note_unasked(link, why=why, at=now)
    parts.end(part, gone | {link.pk: (ItemState.FAILED, why) for link in asked})


def _assign(job: BulkJob, link: Link) -> Result:
    if link.is_ended:
        return ItemState.SKIPPED, Why.ENDED
    change = owners.assign(link, by=job.actor, owner=job.owner, job_id=job.pk)
    return (ItemState.DONE, "") if change else (ItemState.SKIPPED, Why.SAME_OWNER)


def _note(job: BulkJob, link: Link) -> Result:
    if link.is_ended:
        return ItemState.SKIPPED, Why.ENDED
    notes.add_note(link, by=job.actor, text=job.text, job_id=job.pk)
    return ItemState.DONE, ""


_WRITTEN = {JobKind.ASSIGN: _assign, JobKind.NOTE: _note}
