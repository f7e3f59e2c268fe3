"""The lifecycle of a full check: started once, continued by one worker at a time, ended as done, stopped or failed.

Each of its batches is one request, and closed by the worker that holds its claim.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin import work_queue
from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.integrations.models import Integration
from linkadmin.operations import refusals
from linkadmin.providers.records import FullCheckBy, RemotePage
from linkadmin.providers.types import Capability
from linkadmin.sync.models import FullCheck, FullCheckBatch, FullCheckState
from linkadmin.wake_worker import wake_worker
from linkadmin.work_queue import RELEASED, held

Kind = FullCheckBatch.BatchKind

MAX_TRIES = 6  # per batch
MAX_PAGES = 20_000  # a longer list never ends
WORK_TASK = "sync.work_full_check"
CLAIM_LEASE = timedelta(seconds=10)  # without an extension, another worker takes over
KEPT = timedelta(days=30)
NEEDED = {
    FullCheckBy.LINKS: (Capability.LINKS,),
    FullCheckBy.CUSTOMERS: (Capability.LINKS, Capability.END_USERS),
}


def can_full_check(integration: Integration) -> bool:
    return all(integration.can(each) for each in NEEDED[integration.provider_class.full_check_by])


def start(integration: Integration, *, started_by: User | None = None) -> FullCheck:
    """Start a full check, or return the running one. Raises `IntegrationOff` or `ProviderCannot`."""
    if not integration.is_active:
        raise refusals.IntegrationOff
    if not can_full_check(integration):
        raise refusals.ProviderCannot
    try:
        return running(integration) or _begin(integration, started_by)
    except IntegrityError:  # another process was faster
        return FullCheck.objects.get(integration=integration, state=FullCheckState.RUNNING)


def running(integration: Integration) -> FullCheck | None:
    return integration.full_checks.filter(state=FullCheckState.RUNNING).first()


@transaction.atomic
def stop(full_check: FullCheck, *, by: User) -> bool:
    """Stop a full check; return whether it was still running. What it read stays."""
    stopped = _end(full_check, FullCheckState.STOPPED, stopped_by=by)
    if stopped:
        _record(full_check, by, Action.FULL_CHECK_STOPPED, {"seen": full_check.seen})
    return stopped


def fail(full_check: FullCheck, why: str, *, missing: int = 0) -> None:
    """End a full check that can't be completed or isn't plausible. All links keep their state."""
    _end(full_check, FullCheckState.FAILED, note=why[:300], missing=missing)


@transaction.atomic
def complete(full_check: FullCheck, *, seen: int, missing: int) -> None:
    if _end(full_check, FullCheckState.DONE, note="", seen=seen, missing=missing):
        # Everything was requested after its start.
        Integration.objects.filter(pk=full_check.integration_id).update(last_full_check_at=full_check.started_at)


def queue_next_pages(part: FullCheckBatch, page: RemotePage[Any]) -> None:
    """Queue the pages that this one reveals. Call it in the transaction that closes its batch."""
    number, full_check = int(part.key), part.full_check
    if number == 1 and page.items and page.total is not None:
        # With unreadable records, this computes too few pages, so each page also queues the next.
        add_pages(full_check, range(2, min(page.total // len(page.items), MAX_PAGES) + 1))
    if page.items and not page.is_last:
        if number >= MAX_PAGES:
            fail(full_check, _("The provider's list never ended."))
        add_pages(full_check, [number + 1])
    if not undone(full_check).exclude(kind=Kind.CUSTOMER).exists():
        _note_end_of_list(full_check)


def postpone(full_check_id: UUID, *, until: datetime, why: str) -> None:
    _running().filter(pk=full_check_id).update(due_at=until, note=why[:300])


def claim_check(full_check_id: UUID) -> FullCheck | None:
    """Return None if another worker has it or nothing is due."""
    full_checks = _running().filter(pk=full_check_id).select_related("integration")
    claimed = work_queue.claim(full_checks, now=timezone.now(), limit=1, lease=CLAIM_LEASE)
    if claimed and claimed[0].note:
        held(*claimed).update(note="")
    return claimed[0] if claimed else None


def extend_claim(full_check: FullCheck) -> bool:
    """Extend the claim if it's about to expire; return whether this worker may still make requests."""
    now = timezone.now()
    full_check.refresh_from_db(fields=["state", "due_at"])
    is_short = full_check.lease_until is None or full_check.lease_until < now + CLAIM_LEASE / 2
    if is_short and not work_queue.extend(full_check, CLAIM_LEASE):
        return False  # another worker has it
    return full_check.is_running and full_check.due_at is not None and full_check.due_at <= now


def due(*, now: datetime) -> list[Integration]:
    askable = Integration.objects.askable(now=now).annotate(last_began_at=Max("full_checks__started_at"))
    interval = timedelta(seconds=settings.FULL_CHECK_EVERY_SECONDS)
    old = askable.filter(Q(last_began_at=None) | Q(last_began_at__lte=now - interval))
    idle = old.exclude(full_checks__state=FullCheckState.RUNNING)
    return [each for each in idle if can_full_check(each)]


def waiting(*, now: datetime) -> "QuerySet[FullCheck, UUID]":
    return work_queue.due(_running(), now).values_list("pk", flat=True)


def add_pages(full_check: FullCheck, numbers: Iterable[int]) -> None:
    _add([FullCheckBatch(full_check=full_check, kind=Kind.PAGE, key=str(number)) for number in numbers])


def add_customers(full_check: FullCheck, urgencies: Mapping[str, int], fingerprints: Mapping[str, int]) -> None:
    """Queue the customers that have an urgency: those with the lowest are read first."""
    _add(
        [
            FullCheckBatch(
                full_check=full_check,
                kind=Kind.CUSTOMER,
                key=each,
                fingerprint=fingerprints[each],
                urgency=urgency,
            )
            for each, urgency in urgencies.items()
        ]
    )


def claim_parts(full_check_id: UUID, *, limit: int) -> list[FullCheckBatch]:
    # Pages first, then customers in trouble: at a provider's rate limit, the others may have to wait for hours.
    undone = FullCheckBatch.objects.filter(full_check=full_check_id, done_at=None)
    in_order = undone.order_by("-kind", "urgency", "id")
    return work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())


def lock_full_check(part: FullCheckBatch) -> bool:
    """Lock the batch's full check; return whether it's still running and the batch still ours.

    Call it before changing several rows of a full check: in another order, two workers could deadlock.
    """
    full_check = FullCheck.objects.select_for_update(no_key=True).get(pk=part.full_check_id)
    return full_check.state == FullCheckState.RUNNING and held(part).exists()


@transaction.atomic
def note_answer(part: FullCheckBatch, ids: bytes, *, requested_at: datetime, total: int | None) -> bool:
    """Store which IDs a response has before using it; return whether the batch is still ours."""
    return lock_full_check(part) and bool(held(part).update(ids=ids, requested_at=requested_at, total=total))


def answered_later(part: FullCheckBatch, requested_at: datetime) -> list[bytes | memoryview]:
    """Return the hashed IDs of pages requested later: for a link on two pages, the later one counts.

    Two customers never share a link.
    """
    if part.is_customer:
        return []
    later = FullCheckBatch.objects.filter(full_check=part.full_check_id, requested_at__gt=requested_at).exclude(
        pk=part.pk
    )
    return list(later.values_list("ids", flat=True))


def close_part(part: FullCheckBatch, **columns: object) -> None:
    """Call it in the transaction that stores the batch's results."""
    held(part).update(**RELEASED, **columns, done_at=timezone.now())


def undone(full_check: FullCheck) -> "QuerySet[FullCheckBatch]":
    return full_check.parts.filter(done_at=None)


@transaction.atomic
def _begin(integration: Integration, started_by: User | None) -> FullCheck:
    full_check = FullCheck.objects.create(integration=integration, started_by=started_by)
    others = FullCheck.objects.filter(integration=integration).exclude(pk=full_check.pk)
    FullCheckBatch.objects.filter(full_check__in=others).delete()  # even if none ever completes
    others.filter(started_at__lt=full_check.started_at - KEPT).delete()
    add_pages(full_check, [1])
    transaction.on_commit(partial(wake_worker, WORK_TASK, full_check.pk))
    if started_by is not None:
        _record(full_check, started_by, Action.FULL_CHECK_STARTED, {})
    return full_check


def _note_end_of_list(full_check: FullCheck) -> None:
    pages = full_check.parts.filter(kind=Kind.PAGE).order_by()
    moved = pages.exclude(total=None).values("total").distinct().count() > 1
    # If the list shifted meanwhile, new links are at one of its ends.
    if not (moved and _add_both_ends_again(full_check)):
        FullCheck.objects.filter(pk=full_check.pk, listed_at=None).update(listed_at=timezone.now())


def _add_both_ends_again(full_check: FullCheck) -> bool:
    before = full_check.parts.filter(kind=Kind.END).count()
    pages = full_check.parts.filter(kind=Kind.PAGE).values_list("key", flat=True)
    last = max(map(int, pages))
    _add([FullCheckBatch(full_check=full_check, kind=Kind.END, key=str(number)) for number in {1, last}])
    return full_check.parts.filter(kind=Kind.END).count() > before


def _add(parts: list[FullCheckBatch]) -> None:
    FullCheckBatch.objects.bulk_create(parts, ignore_conflicts=True, batch_size=200)


def _end(full_check: FullCheck, state: FullCheckState, **columns: object) -> bool:
    return bool(_running().filter(pk=full_check.pk).update(state=state, finished_at=timezone.now(), **columns))


def _running() -> "QuerySet[FullCheck]":
    return FullCheck.objects.filter(state=FullCheckState.RUNNING)


def _record(full_check: FullCheck, actor: User, action: Action, details: dict[str, str | int]) -> None:
    about = {"full_check": str(full_check.pk), **details}
    record(
        actor=actor,
        action=action,
        object_type=ObjectType.INTEGRATION,
        object_id=full_check.integration_id,
        outcome=Outcome.DONE,
        details=about,
    )
