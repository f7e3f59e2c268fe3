"""Drafts: the selected links stored as rows, each with its planned result, before anything runs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.operations import reading
from linkadmin.operations.refusals import Refusal
from linkadmin.providers.types import LinkRef

from .models import BulkItem, BulkJob, BulkPart, ItemState, JobKind, SkipReason

MAX_LINKS = 100_000
LINKS_PER_TRANSACTION = 100  # links per transaction, to keep locks short
ROWS_AT_ONCE = 5_000  # per INSERT, within the limits of the database
COLUMNS = (
    "pk",
    "integration_id",
    "environment",
    "remote_id",
    "end_user__external_id",
    "institution__integration_type",
    "assignee_id",
    "disconnected_at",
)


class NothingSelected(Refusal):
    """No row was selected, or none matches any more."""

    reason = "nothing_selected"
    words = _("No links selected. Select individual rows or all results.")


class TooManyLinks(Refusal):
    """More links match than a job may include."""

    reason = "too_many_links"

    def __init__(self, most: int) -> None:
        words = ngettext(
            "A job can include up to %(most)s link, but more match. Narrow your filters.",
            "A job can include up to %(most)s links, but more match. Narrow your filters.",
            most,
        )
        super().__init__(words % {"most": f"{most:,}"})


class MixedEnvironments(Refusal):
    """Some of the links are in the sandbox, others in production."""

    reason = "mixed_environments"
    words = _("A job can't include both production and sandbox links.")


class DraftExpired(Refusal):
    """The draft has expired, or its assignee has left."""

    reason = "plan_over"
    words = _("This draft has expired. Select the links again.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """The columns of a link that a draft needs; 100,000 of them fit in memory."""

    pk: UUID
    integration_id: UUID
    environment: str
    remote_id: str
    end_user_id: str
    integration_type: str | None
    assignee_id: UUID | None
    disconnected_at: datetime | None

    @property
    def ref(self) -> LinkRef:
        return LinkRef(self.remote_id, self.end_user_id, self.integration_type or "")


@dataclass(frozen=True, slots=True)
class Batch:
    """Links that are processed together."""

    links: tuple[UUID, ...]
    integration_id: UUID | None = None


def save_draft(job: BulkJob, links: "QuerySet[Link]") -> None:
    """Save a job with a row per link, most urgent first: what was reviewed is what runs.

    Raises `NothingSelected`, `TooManyLinks`, or `MixedEnvironments`.
    """
    rows = links.order_by("urgency", "health_since", "id").values_list(*COLUMNS)[: MAX_LINKS + 1]
    candidates = [Candidate(*row) for row in rows]
    if not candidates:
        raise NothingSelected
    if len(candidates) > MAX_LINKS:
        raise TooManyLinks(MAX_LINKS)
    job.environment = candidates[0].environment
    if any(each.environment != job.environment for each in candidates):
        raise MixedEnvironments
    integrations = Integration.objects.in_bulk()
    skipped = {each.pk: why for each in candidates if (why := _why_not(job, each, integrations[each.integration_id]))}
    wanted = [each for each in candidates if each.pk not in skipped]
    batches = _calls(wanted, integrations) if job.asks_provider else _transactions(wanted)
    job.total = len(candidates)
    job.save(force_insert=True)
    parts = BulkPart.objects.bulk_create(
        [BulkPart(job=job, integration_id=batch.integration_id, links=len(batch.links)) for batch in batches],
        batch_size=ROWS_AT_ONCE,
    )
    part_of = {pk: part.pk for part, batch in zip(parts, batches, strict=True) for pk in batch.links}
    items = (_item(job, each.pk, part_of.get(each.pk), skipped.get(each.pk)) for each in candidates)
    while some := list(islice(items, ROWS_AT_ONCE)):
        BulkItem.objects.bulk_create(some)


def _why_not(job: BulkJob, link: Candidate, integration: Integration) -> SkipReason | None:
    if link.disconnected_at is not None:
        return SkipReason.ENDED
    if job.kind == JobKind.ASSIGN and link.assignee_id == job.assignee_id:
        return SkipReason.SAME_ASSIGNEE
    if not job.asks_provider:
        return None
    if not integration.is_active:
        return SkipReason.OFF
    # Rejected keys that are retried automatically only delay their links.
    return SkipReason.KEYS if integration.keys_rejected and integration.keys_retry_at is None else None


def _calls(links: Iterable[Candidate], integrations: Mapping[UUID, Integration]) -> list[Batch]:
    # Round-robin across integrations, so that none waits for another.
    by_integration: dict[UUID, dict[LinkRef, UUID]] = {}
    for link in links:
        by_integration.setdefault(link.integration_id, {})[link.ref] = link.pk
    calls = [_calls_to(integrations[pk], known) for pk, known in by_integration.items()]
    return [batch for each in zip_longest(*calls) for batch in each if batch]


def _calls_to(integration: Integration, known: Mapping[LinkRef, UUID]) -> Iterator[Batch]:
    for refs in reading.batches(integration, list(known)):
        yield Batch(tuple(known[ref] for ref in refs), integration.pk)


def _transactions(links: Iterable[Candidate]) -> list[Batch]:
    rest = iter([link.pk for link in links])
    return [Batch(some) for some in iter(lambda: tuple(islice(rest, LINKS_PER_TRANSACTION)), ())]


def _item(job: BulkJob, link_id: UUID, part_id: int | None, why: SkipReason | None) -> BulkItem:
    if why is None:
        return BulkItem(job=job, link_id=link_id, part_id=part_id)
    return BulkItem(job=job, link_id=link_id, state=ItemState.SKIPPED, why=why, finished_at=job.created_at)
