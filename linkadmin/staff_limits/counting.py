"""Counts exactly, before anything is shown or done: in a row of the person, under a lock.

What was counted within the window counts once, however often it's seen. A process remembers what is already counted, so
seeing the same again costs no statement.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.database import waiting_at_most
from linkadmin.web import storage

from .entries import Entries, keys_of, packed, room_at, still_counted, unpacked
from .kinds import Limit, LimitKind, limit_of
from .models import LimitUse

MOST_REMEMBERED = 100  # rows
LISTED_SECONDS = 1.0  # for the names on a page, which is shown anyway

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KnownUse:
    """What a person's row has, as this process last read or wrote it."""

    entries: Entries = field(default_factory=dict)
    lifted_until: datetime | None = None


_known: dict[tuple[LimitKind, UUID], KnownUse] = {}
_NOTHING = KnownUse()
_one_by_one = Lock()


class LimitReached(Exception):
    """Nothing was counted, and nothing may be shown or done. `free_at` is None if there will never be enough room."""

    def __init__(self, user: User, kind: LimitKind, limit: Limit, *, used: int, free_at: datetime | None) -> None:
        super().__init__(kind.value)
        self.user, self.kind, self.limit, self.used, self.free_at = user, kind, limit, used, free_at


def count(user: User, kind: LimitKind, things: Iterable[UUID]) -> None:
    """Raises LimitReached."""
    limit, key, now = limit_of(kind), (kind, user.pk), timezone.now()
    known = _known.get(key, _NOTHING)
    oldest = int((now - limit.within).timestamp())
    unknown = {each for each in keys_of(things) if known.entries.get(each, 0) < oldest}
    if not unknown or not limit.stop or is_lifted(known.lifted_until, now):
        return
    waits = waiting_at_most(LISTED_SECONDS) if kind is LimitKind.CUSTOMERS_LISTED else nullcontext()
    try:
        with waits, transaction.atomic(durable=True):
            after, reached = _take(user, kind, unknown, known.entries)
        _remember(key, after)
    except storage.UNUSABLE as error:
        trouble = storage.trouble_of(error)
        if trouble is None or (trouble is storage.Trouble.LOCKED and kind is not LimitKind.CUSTOMERS_LISTED):
            raise
        logger.warning("staff_limit.not_saved", trouble=trouble.value)
        reached = _count_in_memory(user, kind, unknown)
    if reached:
        raise reached


def take(user: User, kind: LimitKind, thing: UUID) -> None:
    """Count one thing in the transaction of what is done. Raises LimitReached; then call `note_reached` outside it."""
    if limit_of(kind).stop:
        _after, reached = _take(user, kind, keys_of([thing]), {})
        if reached:
            raise reached


@transaction.atomic(durable=True)
def note_reached(reached: LimitReached) -> None:
    row = locked(reached.user, reached.kind)
    _note_crossings(row, reached.user, is_over=True)
    row.save(update_fields=["warned_at", "reached_at"])


def locked(user: User, kind: LimitKind) -> LimitUse:
    rows = LimitUse.objects.select_for_update(no_key=True).filter(user=user, kind=kind)
    row = rows.first()
    if row is None:
        LimitUse.objects.bulk_create([LimitUse(user=user, kind=kind)], ignore_conflicts=True)
        row = rows.get()
    return row


def is_lifted(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until


def _take(user: User, kind: LimitKind, keys: set[int], known: Entries) -> tuple[KnownUse, LimitReached | None]:
    row = locked(user, kind)
    after, reached = _with(row, user, keys, known)
    if reached or not keys.isdisjoint(after.entries):
        row.counted, row.used = packed(after.entries), len(after.entries)
        _note_crossings(row, user, is_over=reached is not None)
        row.save(update_fields=["counted", "used", "warned_at", "reached_at"])
    return after, reached


def _count_in_memory(user: User, kind: LimitKind, keys: set[int]) -> LimitReached | None:
    """What can be read is still shown. It counts in this process until the row can be written."""
    row = LimitUse.objects.filter(user=user, kind=kind).first() or LimitUse(user=user, kind=kind)
    with _one_by_one:
        after, reached = _with(row, user, keys, _known.get((kind, user.pk), _NOTHING).entries)
        _remember((kind, user.pk), after)
    return reached


def _remember(key: tuple[LimitKind, UUID], known: KnownUse) -> None:
    if len(_known) >= MOST_REMEMBERED and key not in _known:
        _known.pop(next(iter(_known.copy())), None)  # the oldest; a copy, as other threads change it too
    _known[key] = known


def _with(row: LimitUse, user: User, keys: set[int], known: Entries) -> tuple[KnownUse, LimitReached | None]:
    """What counts with these keys: without them if there's no room, or while the limit is lifted."""
    kind, now = LimitKind(row.kind), timezone.now()
    limit = limit_of(kind)
    entries = unpacked(row.counted, limit, now) | still_counted(known, limit, now)
    new = keys - entries.keys()
    if is_lifted(row.lifted_until, now):
        return KnownUse(entries, row.lifted_until), None
    if len(entries) + len(new) > limit.stop:
        free_at = room_at(entries, limit, len(new)) if len(new) <= limit.stop else None
        return KnownUse(entries), LimitReached(user, kind, limit, used=len(entries), free_at=free_at)
    return KnownUse(entries | dict.fromkeys(new, int(now.timestamp()))), None


def _note_crossings(row: LimitUse, user: User, *, is_over: bool) -> None:
    """Record that a warning or the limit was reached, once per window."""
    limit, now = limit_of(LimitKind(row.kind)), timezone.now()
    since = now - limit.within
    if row.used >= limit.warn and (row.warned_at is None or row.warned_at <= since):
        row.warned_at = now
        _record(row, user, Action.LIMIT_WARNED, Outcome.DONE)
    if is_over and (row.reached_at is None or row.reached_at <= since):
        row.reached_at = now
        _record(row, user, Action.LIMIT_REACHED, Outcome.DENIED)


def _record(row: LimitUse, user: User, action: Action, outcome: Outcome) -> None:
    record(
        actor=user,
        action=action,
        object_type=ObjectType.STAFF,
        object_id=user.pk,
        outcome=outcome,
        details={"limit": row.kind, "counted": row.used},
    )
