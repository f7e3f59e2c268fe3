"""A worker's time slice on a job: as many parts as fit, in parallel where they wait for a provider."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from linkadmin.integrations.slots import SLOTS_FOR_PEOPLE, acting_for, share_of_one
from linkadmin.wake_worker import wake_worker
from linkadmin.work_queue import TimeSlice, due, leased, work_side_by_side

from . import parts, services
from .models import BulkJob, BulkPart, JobState

CHECK_SECONDS = 0.2  # at most, between checks for parts that can start
WRITERS_AT_ONCE = 2  # across all workers


def work(job_id: UUID) -> None:
    """Safe to run in many workers at once."""
    job = BulkJob.objects.select_related("actor", "assignee").filter(pk=job_id, state=JobState.RUNNING).first()
    if job is None:
        return
    worker = _Worker(job)
    if job.asks_provider:
        worker.read_side_by_side(_free_slots(job))
    elif leased(parts.open_parts(job), timezone.now()).count() < WRITERS_AT_ONCE:
        worker.write()
    if not services.finish_if_done(job_id) and worker.time.is_over:
        wake_worker(services.WORK_TASK, job_id)


def wake_running() -> None:
    # In case a message was lost.
    for job in BulkJob.objects.filter(state=JobState.RUNNING):
        if due(parts.open_parts(job), timezone.now()).exists():
            wake_worker(services.WORK_TASK, job.pk)
        else:
            services.finish_if_done(job.pk)


class _Worker:
    """One worker at a job, for one time slice."""

    def __init__(self, job: BulkJob) -> None:
        self._job = job
        self.time = TimeSlice()
        self._held: dict[UUID | None, datetime] = {}  # integrations that can't be reached, and until when

    def write(self) -> None:
        while claimed := self._claim(1):
            try:
                parts.write(self._job, claimed[0])
            except Exception as error:  # noqa: BLE001 - one part that breaks must not end the others
                parts.note_broken(claimed[0], error)

    def read_side_by_side(self, at_once: int) -> None:
        if at_once > 0:
            work_side_by_side(
                self._claim, self._read, self._finish, threads=at_once, every=CHECK_SECONDS, name="bulk-read"
            )

    def _claim(self, limit: int) -> list[BulkPart]:
        now = timezone.now()
        held = [integration_id for integration_id, until in list(self._held.items()) if integration_id and until > now]
        return parts.claim(self._job, limit=limit, without=held) if limit and not self.time.is_over else []

    def _read(self, part: BulkPart) -> parts.Finished | None:
        try:
            with acting_for(self._job.actor_id):
                read = parts.read(part)
        except Exception as error:  # noqa: BLE001 - one part that breaks must not end the others
            parts.note_broken(part, error)
            return None
        if isinstance(read, parts.Finished):
            return read
        if read.held_until is not None:
            self._held[part.integration_id] = read.held_until
        return None

    def _finish(self, read: Iterable[parts.Finished | None]) -> None:
        finished = [each for each in read if each is not None]
        try:
            parts.finish(finished)
        except Exception as error:  # noqa: BLE001 - they are read again
            for each in finished:
                parts.note_broken(each.part, error)


def _free_slots(job: BulkJob) -> int:
    of_integration = max(1, min(settings.CALLS_AT_ONCE_PER_INTEGRATION - SLOTS_FOR_PEOPLE, share_of_one()))
    integrations: int = parts.open_parts(job).aggregate(n=Count("integration", distinct=True))["n"]
    most: int = min(settings.CALLS_AT_ONCE, of_integration * integrations)
    return most - leased(parts.open_parts(job), timezone.now()).count()
