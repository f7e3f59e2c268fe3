"""Plan, start, pause, resume and finish jobs. Each step is one conditional update, so repeating it is harmless."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.links.models import Link
from linkadmin.links.staff_work import possible_assignees
from linkadmin.wake_worker import wake_worker

from .models import DRAFT_LIFETIME, DRAFTS_PER_PERSON, BulkJob, JobKind, JobState
from .plan import DraftExpired, save_draft

WORK_TASK = "bulk.work_job"


@transaction.atomic
def create_draft(
    *, actor: User, kind: JobKind, links: "QuerySet[Link]", assignee: User | None = None, text: str = ""
) -> BulkJob:
    """Store a draft, and drop the person's oldest if they have too many. Nothing runs yet. Raises a `Refusal`."""
    job = BulkJob(kind=kind, actor=actor, assignee=assignee, text=text)
    save_draft(job, links)
    plans = BulkJob.objects.filter(actor=actor, state=JobState.DRAFT).order_by("-created_at", "-pk")
    BulkJob.objects.filter(pk__in=[plan.pk for plan in plans[DRAFTS_PER_PERSON:]], state=JobState.DRAFT).delete()
    return job


@transaction.atomic
def start(job: BulkJob, *, by: User) -> BulkJob:
    """No effect on a job that has started. Raises `DraftExpired`."""
    now = timezone.now()
    if job.is_draft and not _still_holds(job, now):
        raise DraftExpired
    if _change_state(job, JobState.DRAFT, JobState.RUNNING, started_at=now):
        _record(job, by, Action.JOB_STARTED, Outcome.REQUESTED, kind=job.kind, links=job.total)
        _go(job)
    return job


@transaction.atomic
def pause(job: BulkJob, *, by: User) -> BulkJob:
    """No further part starts; requests in flight finish."""
    if _change_state(job, JobState.RUNNING, JobState.PAUSED, paused_by=by):
        _record(job, by, Action.JOB_PAUSED, Outcome.DONE, **job.counts())
    return job


@transaction.atomic
def resume(job: BulkJob, *, by: User) -> BulkJob:
    if _change_state(job, JobState.PAUSED, JobState.RUNNING, paused_by=None):
        _record(job, by, Action.JOB_RESUMED, Outcome.REQUESTED, **job.counts())
        _go(job)
    return job


@transaction.atomic
def finish_if_done(job_id: UUID) -> bool:
    """True only for the call that finishes the job."""
    jobs = BulkJob.objects.select_for_update(of=("self",), no_key=True)
    job = jobs.filter(pk=job_id, state=JobState.RUNNING).first()
    if job is None or job.parts.filter(done_at=None).exists():
        return False
    tally, changed = job.counts(), job.count_changed()
    sums = {state: tally[state] for state in ("done", "failed", "skipped")}
    _change_state(job, JobState.RUNNING, JobState.DONE, finished_at=timezone.now(), changed=changed, **sums)
    _record(job, None, Action.JOB_FINISHED, Outcome.DONE, **tally)
    return True


def delete_expired_drafts(*, now: datetime) -> None:
    BulkJob.objects.filter(state=JobState.DRAFT, created_at__lt=now - DRAFT_LIFETIME).delete()


def _still_holds(job: BulkJob, now: datetime) -> bool:
    if job.created_at < now - DRAFT_LIFETIME:
        return False
    return job.assignee_id is None or possible_assignees().filter(pk=job.assignee_id).exists()


def _change_state(job: BulkJob, old: JobState, new: JobState, **columns: object) -> bool:
    moved = BulkJob.objects.filter(pk=job.pk, state=old).update(state=new, **columns)
    job.refresh_from_db()
    return bool(moved)


def _go(job: BulkJob) -> None:
    transaction.on_commit(partial(wake_worker, WORK_TASK, job.pk))


def _record(job: BulkJob, by: User | None, action: Action, outcome: Outcome, **details: str | int) -> None:
    record(actor=by, action=action, object_type=ObjectType.BULK_JOB, object_id=job.pk, outcome=outcome, details=details)
