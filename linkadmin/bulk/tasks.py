"""Celery tasks of bulk jobs. A message only wakes a worker: the job's rows say what is left."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from . import services, work


@shared_task(name=services.WORK_TASK)
def work_at(job_id: str) -> None:
    work.work(UUID(job_id))


@shared_task(name="bulk.wake_jobs")
def wake_running() -> None:
    services.delete_expired_drafts(now=timezone.now())
    work.wake_running()
