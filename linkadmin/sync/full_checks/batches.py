"""The parts of a full check: each is one call, and closed by the worker that holds its claim."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin import work_queue
from linkadmin.sync.models import FullCheck, FullCheckBatch, FullCheckState
from linkadmin.work_queue import RELEASED, held

Kind = FullCheckBatch.BatchKind

MOST_TRIES = 6
MOST_PAGES = 20_000  # a list that goes on is not one


def add_pages(full_check: FullCheck, numbers: Iterable[int]) -> None:
    """Have pages of the list read, unless they are known of already."""
    _add([FullCheckBatch(full_check=full_check, kind=Kind.PAGE, key=str(number)) for number in numbers])


def add_customers(full_check: FullCheck, prints: dict[str, int]) -> None:
    """Have the links of these customers read; with each what the list says of them."""
    _add(
        [
            FullCheckBatch(full_check=full_check, kind=Kind.CUSTOMER, key=each, fingerprint=prints[each])
            for each in prints
        ]
    )


def add_both_ends_again(full_check: FullCheck) -> bool:
    """Have the first page and the last one read once more; tell whether they were not before."""
    before = full_check.parts.filter(kind=Kind.END).count()
    pages = full_check.parts.filter(kind=Kind.PAGE).values_list("key", flat=True)
    last = max(map(int, pages))
    _add([FullCheckBatch(full_check=full_check, kind=Kind.END, key=str(number)) for number in {1, last}])
    return full_check.parts.filter(kind=Kind.END).count() > before


def claim(full_check_id: UUID, *, limit: int) -> list[FullCheckBatch]:
    """Claim parts that are due, pages first."""
    in_order = FullCheckBatch.objects.filter(full_check=full_check_id, done_at=None).order_by("-kind", "id")
    return work_queue.claim(in_order, now=timezone.now(), limit=limit, lease=work_queue.call_lease())


def lock_full_check(part: FullCheckBatch) -> bool:
    """Lock its full check for this transaction, and tell whether the part is still ours and the full check goes on.

    Whoever changes more than one row of a full check does this first: in another order two would wait for each other.
    """
    full_check = FullCheck.objects.select_for_update(no_key=True).get(pk=part.full_check_id)
    return full_check.state == FullCheckState.RUNNING and held(part).exists()


@transaction.atomic
def note_answer(part: FullCheckBatch, ids: bytes, *, requested_at: datetime, total: int | None) -> bool:
    """Note which ids an answer holds before anything is made of it; tell whether the part is still ours."""
    return lock_full_check(part) and bool(held(part).update(ids=ids, requested_at=requested_at, total=total))


def answered_later(part: FullCheckBatch, requested_at: datetime) -> list[bytes | memoryview]:
    """Return the ids on the pages that were asked for later than a moment: a link on two of them is as the later says.

    No link is among those of two customers.
    """
    if part.kind == Kind.CUSTOMER:
        return []
    later = FullCheckBatch.objects.filter(full_check=part.full_check_id, requested_at__gt=requested_at).exclude(
        pk=part.pk
    )
    return list(later.values_list("ids", flat=True))


def close(part: FullCheckBatch, **columns: object) -> None:
    """Close a part of a full check that is held still, in the transaction of what it brought."""
    held(part).update(**RELEASED, **columns, done_at=timezone.now())


def undone(full_check: FullCheck) -> "QuerySet[FullCheckBatch]":
    """Return the parts that are still to be read."""
    return full_check.parts.filter(done_at=None)


def pages_undone(full_check: FullCheck) -> bool:
    """Tell whether the list itself is not read to its end."""
    return undone(full_check).exclude(kind=Kind.CUSTOMER).exists()


def reported_totals(full_check: FullCheck) -> set[int]:
    """Return how many the list has, as its pages said: more than one number if it moved meanwhile."""
    pages = full_check.parts.filter(kind=Kind.PAGE).order_by()
    return {total for total in pages.values_list("total", flat=True).distinct() if total is not None}


def _add(parts: list[FullCheckBatch]) -> None:
    FullCheckBatch.objects.bulk_create(parts, ignore_conflicts=True, batch_size=200)
