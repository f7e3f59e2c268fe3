"""The workers' part: reads and closing of what time decided. Never credentials, never a change at a provider."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from linkadmin.links import health
from linkadmin.links.models import Integration, Link
from linkadmin.nudges import nudge

from . import reading, reconcile
from .models import Operation, State

PROOF_EVERY = timedelta(seconds=10)
PROOF_WITHIN = timedelta(minutes=30)
NUDGES_A_ROUND = 200


@shared_task(name="operations.close_overdue")
def close_overdue() -> None:
    reconcile.close_overdue(now=timezone.now())


@shared_task(name="operations.nudge_due")
def nudge_due() -> None:
    """Find every row that waits for a read, so that a lost message loses nothing; and end what waited too long."""
    now = timezone.now()
    askable = Integration.objects.askable(now=now)
    unknown = Operation.objects.filter(state=State.UNKNOWN, check_at__lte=now, integration__in=askable)
    for operation_id in unknown.values_list("pk", flat=True)[:NUDGES_A_ROUND]:
        nudge("operations.reconcile", operation_id)
    for link in health.proof_overdue(proving_before=now - PROOF_WITHIN)[:NUDGES_A_ROUND]:
        health.give_up_proving(link, now=now)
    for link_id in health.unproven(asked_before=now - PROOF_EVERY, now=now)[:NUDGES_A_ROUND]:
        nudge("operations.prove", link_id)
    health.escalate(now=now)
    for link in health.ending_permissions(now=now)[:NUDGES_A_ROUND]:
        health.ask_to_renew(link, now=now)
    for link_id in health.grown_stale(now=now)[:NUDGES_A_ROUND]:
        nudge("operations.note_stale", link_id)


@shared_task(name="operations.reconcile")
def reconcile_one(operation_id: str) -> None:
    operation = Operation.objects.with_names().filter(pk=operation_id, state=State.UNKNOWN).first()
    if operation is None:
        return
    reconcile.reconcile_quietly(operation)


@shared_task(name="operations.prove")
def prove(link_id: str) -> None:
    """Read a repaired or new link: the proof that it works."""
    link = Link.objects.select_related("integration", "end_user", "institution").filter(pk=link_id).first()
    if link is None or link.is_ended:
        return
    reading.read_quietly(link)


@shared_task(name="operations.note_stale")
def note_stale(link_id: str) -> None:
    """Call a link stale only after asking: the provider may have new data that nobody has read yet."""
    link = Link.objects.select_related("integration", "end_user", "institution").filter(pk=link_id).first()
    if link is None or link.is_ended:
        return
    if not link.integration.keys_refused:
        reading.read_quietly(link)
    health.grow_stale(link, now=timezone.now())
