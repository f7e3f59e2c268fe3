"""Celery tasks: check unknown outcomes, and close what time has decided. Nothing is sent."""

from celery import shared_task
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.wake_worker import wake_worker

from . import encrypted, reconcile
from .models import Operation, State
from .outcomes import RECONCILE_TASK

WOKEN_A_ROUND = 200


@shared_task(name="operations.close_overdue")
def close_overdue() -> None:
    now = timezone.now()
    encrypted.delete_expired(now=now)
    reconcile.close_overdue(now=now)


@shared_task(name="operations.wake_due")
def wake_due() -> None:
    # In case a message was lost.
    now = timezone.now()
    askable = Integration.objects.askable(now=now)
    unknown = Operation.objects.filter(state=State.UNKNOWN, check_at__lte=now, integration__in=askable)
    for operation_id in unknown.values_list("pk", flat=True)[:WOKEN_A_ROUND]:
        wake_worker(RECONCILE_TASK, operation_id)


@shared_task(name=RECONCILE_TASK)
def reconcile_one(operation_id: str) -> None:
    operation = Operation.objects.with_names().filter(pk=operation_id, state=State.UNKNOWN).first()
    if operation is not None:
        reconcile.reconcile_quietly(operation)
