"""The parts of a sweep: each is one call, claimed by one UPDATE for a while and closed by whoever still has it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from linkadmin.sync.models import Sweep, SweepPart, SweepState

Kind = SweepPart.Kind

MOST_TRIES = 6
FIRST_PAUSE = timedelta(seconds=5)  # after a try in vain; doubled after each further one
MOST_PAGES = 20_000  # a list that goes on is not one


def add_pages(sweep: Sweep, numbers: Iterable[int]) -> None:
    """Have pages of the list read, unless they are known of already."""
    _add([SweepPart(sweep=sweep, kind=Kind.PAGE, key=str(number)) for number in numbers])


def add_customers(sweep: Sweep, prints: dict[str, int]) -> None:
    """Have the links of these customers read; with each what the list says of them."""
    _add([SweepPart(sweep=sweep, kind=Kind.CUSTOMER, key=each, fingerprint=prints[each]) for each in prints])


def add_both_ends_again(sweep: Sweep) -> bool:
    """Have the first page and the last one read once more; tell whether they were not before."""
    before = sweep.parts.filter(kind=Kind.END).count()
    pages = sweep.parts.filter(kind=Kind.PAGE).values_list("key", flat=True)
    last = max(map(int, pages))
    _add([SweepPart(sweep=sweep, kind=Kind.END, key=str(number)) for number in {1, last}])
    return sweep.parts.filter(kind=Kind.END).count() > before


def claim(sweep_id: UUID, *, limit: int) -> list[SweepPart]:
    """Take parts that are due, pages first. Nobody else gets them before the lease is over."""
    now = timezone.now()
    # A call may turn out to be two, and what came of them is to be written.
    until = now + timedelta(seconds=2 * settings.PROVIDER_READ_SECONDS + settings.LEASE_MARGIN_SECONDS)
    free = _free(sweep_id, now)
    first = list(free.order_by("-kind", "id").values_list("pk", flat=True)[:limit])
    if not first or not free.filter(pk__in=first).update(lease_until=until, tries=F("tries") + 1):
        return []
    return list(SweepPart.objects.filter(pk__in=first, done_at=None, lease_until=until).order_by("-kind", "id"))


def release(parts: Iterable[SweepPart]) -> None:
    """Let parts go that were not tried."""
    for part in parts:
        put_off(part, pause=timedelta(0))


def hold_still(part: SweepPart) -> bool:
    """Lock its sweep for this transaction, and tell whether the part is still ours and the sweep goes on.

    Whoever changes more than one row of a sweep does this first: in another order two would wait for each other.
    """
    sweep = Sweep.objects.select_for_update(no_key=True).get(pk=part.sweep_id)
    return sweep.state == SweepState.RUNNING and _ours(part).exists()


@transaction.atomic
def note_answer(part: SweepPart, ids: bytes, *, asked_at: datetime, total: int | None) -> bool:
    """Note which ids an answer holds before anything is made of it; tell whether the part is still ours."""
    return hold_still(part) and bool(_ours(part).update(ids=ids, asked_at=asked_at, total=total))


def answered_later(part: SweepPart, asked_at: datetime) -> list[bytes | memoryview]:
    """Return the ids on the pages that were asked for later than a moment: a link on two of them is as the later says.

    No link is among those of two customers.
    """
    if part.kind == Kind.CUSTOMER:
        return []
    later = SweepPart.objects.filter(sweep=part.sweep_id, asked_at__gt=asked_at).exclude(pk=part.pk)
    return list(later.values_list("ids", flat=True))


def close(part: SweepPart, **columns: object) -> None:
    """Close a part of a sweep that is held still, in the transaction of what it brought."""
    _ours(part).update(done_at=timezone.now(), lease_until=None, **columns)


def put_off(part: SweepPart, *, pause: timedelta | None = None) -> None:
    """Let a part that could not be read be read later: after its growing pause, or after one that is no try."""
    wait = FIRST_PAUSE * 2 ** min(part.tries - 1, MOST_TRIES) if pause is None else pause
    tries = part.tries if pause is None else part.tries - 1
    _ours(part).update(due_at=timezone.now() + wait, lease_until=None, tries=tries)


def undone(sweep: Sweep) -> "QuerySet[SweepPart]":
    """Return the parts that are still to be read."""
    return sweep.parts.filter(done_at=None)


def pages_undone(sweep: Sweep) -> bool:
    """Tell whether the list itself is not read to its end."""
    return undone(sweep).exclude(kind=Kind.CUSTOMER).exists()


def told_totals(sweep: Sweep) -> set[int]:
    """Return how many the list has, as its pages said: more than one number if it moved meanwhile."""
    pages = sweep.parts.filter(kind=Kind.PAGE).order_by()
    return {total for total in pages.values_list("total", flat=True).distinct() if total is not None}


def _add(parts: list[SweepPart]) -> None:
    SweepPart.objects.bulk_create(parts, ignore_conflicts=True, batch_size=200)


def _free(sweep_id: UUID, now: datetime) -> "QuerySet[SweepPart]":
    due = SweepPart.objects.filter(sweep=sweep_id, done_at=None, due_at__lte=now)
    return due.filter(Q(lease_until=None) | Q(lease_until__lte=now))


def _ours(part: SweepPart) -> "QuerySet[SweepPart]":
    return SweepPart.objects.filter(pk=part.pk, done_at=None, lease_until=part.lease_until)
