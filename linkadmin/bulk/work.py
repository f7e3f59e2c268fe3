"""A worker's turn at a job: as many parts as it gets done, side by side where they wait for a provider."""

import math
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from linkadmin.database import release_connections
from linkadmin.links.traffic import PLACES_FOR_PEOPLE, acting_for, share_of_one
from linkadmin.nudges import nudge

from . import acts, parts, services
from .acts import Held
from .models import BulkJob, BulkPart, JobState

TURN_SECONDS = 20.0  # then other tasks have theirs
LOOK_SECONDS = 0.2  # at most, until the next look at what else can be begun
FEWEST_AT_ONCE = 4
WRITERS_AT_ONCE = 2  # of all workers


def work(job_id: UUID) -> None:
    """Go on with a job, and close it when nothing is left. Any number of workers may do so at once."""
    job = BulkJob.objects.select_related("actor", "owner").filter(pk=job_id, state=JobState.RUNNING).first()
    if job is None:
        return
    turn = _Turn(job)
    if job.asks_provider:
        turn.read_side_by_side(_free_places(job))
    elif job.parts.leased(now=timezone.now()).count() < WRITERS_AT_ONCE:
        turn.write()
    if not services.end_if_over(job_id) and turn.is_over:
        nudge("bulk.work", job_id)


def nudge_running() -> None:
    """Find every running job that somebody could go on with, so that a lost message loses nothing."""
    for job in BulkJob.objects.filter(state=JobState.RUNNING):
        if job.parts.due(now=timezone.now()).exists():
            nudge("bulk.work", job.pk)
        else:
            services.end_if_over(job.pk)


class _Turn:
    """The time a worker spends on a job before others have theirs."""

    def __init__(self, job: BulkJob) -> None:
        self._job = job
        self._until = time.monotonic() + TURN_SECONDS
        self._held: dict[UUID | None, datetime] = {}

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def write(self) -> None:
        while part := self._next():
            try:
                acts.write(self._job, part)
            except Exception as error:  # noqa: BLE001 - one part that breaks must not end the others
                acts.note_broken(part, error)

    def read_side_by_side(self, at_once: int) -> None:
        """Keep so many calls under way until nothing can be begun any more."""
        if at_once < 1:
            return
        running: set[Future[Held | None]] = set()
        with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="bulk-read") as pool:
            while True:
                part = self._next() if len(running) < at_once else None
                if part is not None:
                    running.add(pool.submit(_read, part, self._job.actor_id))
                elif not running:
                    return
                done, running = wait(running, 0 if part else LOOK_SECONDS, FIRST_COMPLETED)
                self._held |= {held.integration_id: held.until for each in done if (held := each.result())}

    def _next(self) -> BulkPart | None:
        now = timezone.now()
        held = [integration_id for integration_id, until in self._held.items() if integration_id and until > now]
        return None if self.is_over else parts.claim(self._job, without=held)


def _read(part: BulkPart, person_id: UUID) -> Held | None:
    try:
        with acting_for(person_id):
            return acts.read(part)
    except Exception as error:  # noqa: BLE001 - one part that breaks must not end the others
        acts.note_broken(part, error)
        return None
    finally:
        release_connections()


def _free_places(job: BulkJob) -> int:
    """Return how many calls this worker may have under way; some of the free places are left to other workers."""
    of_integration = max(1, min(settings.CALLS_AT_ONCE_PER_INTEGRATION - PLACES_FOR_PEOPLE, share_of_one()))
    integrations: int = job.parts.open().aggregate(n=Count("integration", distinct=True))["n"]
    most: int = min(settings.CALLS_AT_ONCE, of_integration * integrations)
    free = most - job.parts.leased(now=timezone.now()).count()
    return min(free, max(FEWEST_AT_ONCE, math.ceil(free / 2)))
