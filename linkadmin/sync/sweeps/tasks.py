"""The workers' part of sweeps: begun when they are due, and gone on with until they are over."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from linkadmin.wake_worker import wake_worker

from . import course, crew


@shared_task(name="sync.wake_full_checks")
def wake_full_checks() -> None:
    """Find what is due, so that a lost message loses nothing."""
    now = timezone.now()
    for integration in course.due(now=now):
        course.begin(integration)
    for sweep_id in course.waiting(now=now):
        wake_worker(course.WORK_TASK, sweep_id)


@shared_task(name=course.WORK_TASK)
def work_sweep(sweep_id: str) -> None:
    crew.work(UUID(sweep_id))
