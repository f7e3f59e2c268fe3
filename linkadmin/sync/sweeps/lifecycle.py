"""The course of a sweep: begun once, gone on with by whoever finds it, and ended in one of three ways."""

from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin import work_queue
from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links.models import Integration
from linkadmin.operations import refusals
from linkadmin.providers.records import RemotePage, SweepBy
from linkadmin.providers.types import Capability
from linkadmin.sync.models import Sweep, SweepPart, SweepState
from linkadmin.wake_worker import wake_worker

from . import batches

T = TypeVar("T")

WORK_TASK = "sync.work_sweep"
ATTENDED = timedelta(seconds=10)  # without a sign of life, another worker takes over
KEPT = timedelta(days=30)
NEEDED = {
    SweepBy.LINKS: (Capability.LINKS,),
    SweepBy.CUSTOMERS: (Capability.LINKS, Capability.END_USERS),
}


def can_sweep(integration: Integration) -> bool:
    """Tell whether an integration's provider lists what a sweep reads."""
    return all(integration.can(each) for each in NEEDED[integration.speaks.sweep_by])


def begin(integration: Integration, *, asked_by: User | None = None) -> Sweep:
    """Begin a sweep, or return the one that is running. Raises `IntegrationOff` or `ProviderCannot`."""
    if not integration.is_active:
        raise refusals.IntegrationOff
    if not can_sweep(integration):
        raise refusals.ProviderCannot
    try:
        return running(integration) or _begin(integration, asked_by)
    except IntegrityError:  # somebody was faster
        return Sweep.objects.get(integration=integration, state=SweepState.RUNNING)


def running(integration: Integration) -> Sweep | None:
    """Return the sweep of an integration that is not over."""
    return integration.sweeps.filter(state=SweepState.RUNNING).first()


@transaction.atomic
def stop(sweep: Sweep, *, by: User) -> bool:
    """End a sweep before its time; tell whether it was still running. What it read stays."""
    stopped = _end(sweep, SweepState.STOPPED, stopped_by=by)
    if stopped:
        _record(sweep, by, "sweep.stopped", {"seen": sweep.seen})
    return stopped


def fail(sweep: Sweep, why: str, *, missing: int = 0) -> None:
    """End a sweep that could not be read to its end, or cannot be believed. All links keep their state."""
    _end(sweep, SweepState.FAILED, note=why[:300], missing=missing)


@transaction.atomic
def complete(sweep: Sweep, *, seen: int, missing: int) -> None:
    """End a sweep that read the whole list: all that is known was asked about at its beginning."""
    if not _end(sweep, SweepState.DONE, note="", seen=seen, missing=missing):
        return
    Integration.objects.filter(pk=sweep.integration_id).update(swept_at=sweep.began_at)


def go_on(part: SweepPart, page: RemotePage[T]) -> None:
    """Have the pages read that a page makes known of. Call it in the transaction that closes its part."""
    number, sweep = int(part.key), part.sweep
    if number == 1 and page.items and page.total is not None:
        # Where some records could not be read, fewer pages follow from this than there are: each names the next.
        batches.add_pages(sweep, range(2, min(page.total // len(page.items), batches.MOST_PAGES) + 1))
    if page.items and not page.is_last:
        if number >= batches.MOST_PAGES:
            fail(sweep, _("The provider's list does not end."))
        batches.add_pages(sweep, [number + 1])
    if not batches.pages_undone(sweep):
        _note_end_of_list(sweep)


def hold_back(sweep_id: UUID, *, until: datetime, why: str) -> None:
    """Let no call of a sweep be made before a moment."""
    _running().filter(pk=sweep_id).update(due_at=until, note=why[:300])


def claim_check(sweep_id: UUID) -> Sweep | None:
    """Claim a sweep; None if another worker has it, or there is nothing to do now."""
    sweeps = _running().filter(pk=sweep_id).select_related("integration")
    claimed = work_queue.claim(sweeps, now=timezone.now(), limit=1, lease=ATTENDED)
    if claimed and claimed[0].note:
        work_queue.held(*claimed).update(note="")
    return claimed[0] if claimed else None


def stay(sweep: Sweep) -> bool:
    """Extend the claim of a sweep when it is about to run out; tell whether calls of it may still be made."""
    now = timezone.now()
    sweep.refresh_from_db(fields=["state", "due_at"])
    if sweep.lease_until is None or sweep.lease_until < now + ATTENDED / 2:
        work_queue.extend(sweep, ATTENDED)
    return sweep.is_running and sweep.due_at is not None and sweep.due_at <= now


def leave(sweep: Sweep) -> None:
    """Let another worker take a sweep up at once."""
    work_queue.release([sweep])


def due(*, now: datetime) -> list[Integration]:
    """Return the integrations whose links were not swept for a while."""
    askable = Integration.objects.askable(now=now).annotate(last_began_at=Max("sweeps__began_at"))
    interval = timedelta(seconds=settings.SWEEP_EVERY_SECONDS)
    old = askable.filter(Q(last_began_at=None) | Q(last_began_at__lte=now - interval))
    idle = old.exclude(sweeps__state=SweepState.RUNNING)
    return [each for each in idle if can_sweep(each)]


def waiting(*, now: datetime) -> "QuerySet[Sweep, UUID]":
    """Return the ids of the sweeps that nobody is at and that may go on."""
    return work_queue.due(_running(), now).values_list("pk", flat=True)


@transaction.atomic
def _begin(integration: Integration, asked_by: User | None) -> Sweep:
    sweep = Sweep.objects.create(integration=integration, asked_by=asked_by)
    _drop_parts_of_others(sweep)  # also where none ever completes
    batches.add_pages(sweep, [1])
    transaction.on_commit(partial(wake_worker, WORK_TASK, sweep.pk))
    if asked_by is not None:
        _record(sweep, asked_by, "sweep.started", {})
    return sweep


def _drop_parts_of_others(sweep: Sweep) -> None:
    others = Sweep.objects.filter(integration=sweep.integration_id).exclude(pk=sweep.pk)
    SweepPart.objects.filter(sweep__in=others).delete()
    others.filter(began_at__lt=sweep.began_at - KEPT).delete()


def _note_end_of_list(sweep: Sweep) -> None:
    """Note that the list was read to its end; if it moved meanwhile, what is new is at one of its ends."""
    moved = len(batches.told_totals(sweep)) > 1
    if not (moved and batches.add_both_ends_again(sweep)):
        Sweep.objects.filter(pk=sweep.pk, listed_at=None).update(listed_at=timezone.now())


def _end(sweep: Sweep, state: SweepState, **columns: object) -> bool:
    return bool(_running().filter(pk=sweep.pk).update(state=state, ended_at=timezone.now(), **columns))


def _running() -> "QuerySet[Sweep]":
    return Sweep.objects.filter(state=SweepState.RUNNING)


def _record(sweep: Sweep, actor: User, action: str, details: dict[str, str | int]) -> None:
    about = {"sweep": str(sweep.pk), **details}
    log.record(
        actor=actor,
        action=action,
        object_type="integration",
        object_id=sweep.integration_id,
        outcome=Outcome.DONE,
        details=about,
    )
