"""The workers' part of full checks: begun when they are due, and gone on with until they are over."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from linkadmin.wake_worker import wake_worker

from . import lifecycle, worker


@shared_task(name="sync.wake_full_checks")
def wake_full_checks() -> None:
    """Find what is due, so that a lost message loses nothing."""
    now = timezone.now()
    for integration in lifecycle.due(now=now):
        lifecycle.start(integration)
    for full_check_id in lifecycle.waiting(now=now):
        wake_worker(lifecycle.WORK_TASK, full_check_id)


@shared_task(name=lifecycle.WORK_TASK)
def work_full_check(full_check_id: str) -> None:
    worker.work(UUID(full_check_id))
