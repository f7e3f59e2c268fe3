"""The parts of a sweep: each is one call, and closed by the worker that holds its claim."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.sync.models import Sweep, SweepPart, SweepState
from linkadmin.work_queue import RELEASED, held

Kind = SweepPart.Kind

MOST_TRIES = 6
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
    """Claim parts that are due, pages first."""
    in_order = SweepPart.objects.filter(sweep=sweep_id, done_at=None).order_by("-kind", "id")
    return work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())


def hold_still(part: SweepPart) -> bool:
    """Lock its sweep for this transaction, and tell whether the part is still ours and the sweep goes on.

    Whoever changes more than one row of a sweep does this first: in another order two would wait for each other.
    """
    sweep = Sweep.objects.select_for_update(no_key=True).get(pk=part.sweep_id)
    return sweep.state == SweepState.RUNNING and held(part).exists()


@transaction.atomic
def note_answer(part: SweepPart, ids: bytes, *, asked_at: datetime, total: int | None) -> bool:
    """Note which ids an answer holds before anything is made of it; tell whether the part is still ours."""
    return hold_still(part) and bool(held(part).update(ids=ids, asked_at=asked_at, total=total))


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
    held(part).update(**RELEASED, **columns, done_at=timezone.now())


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
