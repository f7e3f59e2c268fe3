"""Celery tasks for all reads."""

from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone

from linkadmin.integrations.models import INSTITUTIONS_TASK, Integration
from linkadmin.links import count_upkeep, health
from linkadmin.links.due_reads import READ_TASK
from linkadmin.providers.errors import ProviderError
from linkadmin.wake_worker import wake_worker
from linkadmin.webhooks.acceptance import PROCESS_TASK
from linkadmin.work_queue import TimeSlice

from . import clock, delivery_reads, institutions, reads
from .full_checks import lifecycle, worker

logger = structlog.get_logger(__name__)


@shared_task(name="sync.wake_institution_lists")
def wake_institution_lists() -> None:
    for integration in institutions.due(now=timezone.now()):
        wake_worker(INSTITUTIONS_TASK, integration.pk)


@shared_task(name=INSTITUTIONS_TASK)
def read_institution_list(integration_id: str) -> None:
    integration = Integration.objects.filter(pk=integration_id, is_active=True).first()
    if integration is None or not integration.lists_institutions:
        return
    try:
        institutions.read_institutions(integration)
    except ProviderError as error:
        logger.warning("institutions.not_read", integration=integration_id, error=type(error).__name__)


@shared_task(name=PROCESS_TASK)
def process_deliveries() -> None:
    time_slice = TimeSlice()
    while delivery_reads.process() == delivery_reads.CLAIMED_AT_ONCE:  # what arrives later wakes another task
        if time_slice.is_over:
            wake_worker(PROCESS_TASK)
            return


@shared_task(name="sync.wake_reads")
def wake_reads() -> None:
    """Wake a worker for each integration with due reads, in case a wake-up got lost."""
    for integration_id in reads.integrations_due(now=timezone.now()):
        wake_worker(READ_TASK, integration_id)


@shared_task(name=READ_TASK)
def read_due(integration_id: str) -> None:
    pk = UUID(integration_id)
    if reads.work(pk) | delivery_reads.work(pk):
        wake_worker(READ_TASK, pk)


@shared_task(name="sync.tick_seconds")
def tick_seconds() -> None:
    now = timezone.now()
    clock.verify_repairs(now=now)
    clock.mark_stale(now=now)


@shared_task(name="sync.tick_minutes")
def tick_minutes() -> None:
    now = timezone.now()
    clock.end_permissions(now=now)
    health.escalate(now=now)


@shared_task(name="sync.fold_counts")
def fold_counts() -> None:
    count_upkeep.fold()


@shared_task(name="sync.recount")
def recount() -> None:
    count_upkeep.recount()


@shared_task(name="sync.wake_full_checks")
def wake_full_checks() -> None:
    """Start and continue what's due, in case a wake-up got lost."""
    now = timezone.now()
    for integration in lifecycle.due(now=now):
        lifecycle.start(integration)
    for full_check_id in lifecycle.waiting(now=now):
        wake_worker(lifecycle.WORK_TASK, full_check_id)


@shared_task(name=lifecycle.WORK_TASK)
def work_full_check(full_check_id: str) -> None:
    worker.work(UUID(full_check_id))
