"""Find out what happened when a response was lost, by reading records, never by resending.

What no record proves within 15 minutes needs a person. Operations closed by time end here too.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations import call_pool
from linkadmin.providers.errors import ProviderError
from linkadmin.providers.types import Cause

from . import slots
from .budget import WINDOW, budget_of
from .changes import NOTHING, Finding, change_of
from .link_updates import stop_waiting
from .models import ATTEMPTS_SPENT, STILL_REFUSED, Operation, PendingChallenge, State
from .reading import require_in_use
from .states import By, locked, move

logger = structlog.get_logger(__name__)

CHECK_EVERY = timedelta(seconds=10)
ABANDONED_AFTER = timedelta(seconds=60)
CLOSED_A_ROUND = 100
Row = TypeVar("Row", Operation, PendingChallenge)


def reconcile(operation: Operation, *, now: datetime) -> None:
    """Check the records for an unknown outcome, and close the operation if they prove one.

    Raises `ProviderError` if the provider couldn't be reached.
    """
    if not _claim_check(operation, now=now):
        return
    found = change_of(operation).prove(operation, now)
    conclude(operation, found if found.state is not State.UNKNOWN else _or_undecided(operation, now=now))


def check(*, actor: User, operation: Operation, seconds: float) -> bool:
    """Waits at most `seconds`; False if the check still runs. A check of the last seconds isn't repeated."""
    require_in_use(operation.integration)
    with slots.slot_for(operation.integration_id, person=actor) as held:
        record(
            actor=actor,
            action=Action.OPERATION_CHECKED,
            object_type=ObjectType.OPERATION,
            object_id=str(operation.pk),
            outcome=Outcome.REQUESTED,
            operation_id=str(operation.pk),
        )
        call_pool.start(operation.pk, held, partial(reconcile_quietly, operation))
    return call_pool.wait_for(operation.pk, seconds)


def reconcile_quietly(operation: Operation) -> None:
    now = timezone.now()
    try:
        reconcile(operation, now=now)
    except ProviderError:  # an unreachable provider doesn't delay the end of the time for proof
        conclude(operation, _or_undecided(operation, now=now))


@transaction.atomic
def conclude(operation: Operation, found: Finding[Any]) -> None:
    """Close an unknown outcome by a finding, unless it was moved meanwhile; UNKNOWN leaves it open."""
    if found.state is State.UNKNOWN:
        return
    current = locked(operation, State.UNKNOWN)
    if current is None:
        return
    current.outcome, now = found.why, timezone.now()
    current.counts_as_attempt = found.why == STILL_REFUSED
    # A lost code request repaired nothing, but it may have left a new, unconfirmed link.
    left_link = found.state is State.EXPIRED and current.link is None and found.shown is not None
    if found.state is State.CONFIRMED_DONE or left_link:
        change_of(current).apply(current, found.shown, now)
    move(current, found.state, by=By.RECONCILIATION, at=now)


def close_overdue(*, now: datetime) -> int:
    """Close what time has decided, and return how many.

    These are calls whose process died, intents never sent, codes that expired or could lock an account, and outcomes
    without proof.
    """
    too_long = now - timedelta(seconds=settings.OPERATION_UNDECIDED_SECONDS) - CHECK_EVERY
    dead, never_sent = _DEAD.instances(now), _NEVER_SENT.instances(now - ABANDONED_AFTER)
    unproven, late, waiting = _UNPROVEN.instances(too_long), _LATE.instances(now), _WAITING.instances(now, now - WINDOW)
    return (
        _close_each(dead, lambda each: _mark_lost(each, now=now))
        + _close_each(never_sent, lambda each: _expire(each, State.CANCELED, "never_sent", now=now))
        + _close_each(unproven, lambda each: _expire(each, State.NEEDS_DECISION, "no_proof", now=now))
        + _close_each(late, lambda each: _end_step(each, State.EXPIRED, "code_too_late", Cause.CODE_TOO_LATE, now=now))
        + _close_each(waiting, lambda each: _end_if_spent(each, now=now))
    )


def _left_in(state: State, column: str) -> CompiledQuery:
    """Operations in a state since before a time."""

    def left(before: datetime) -> QuerySet[Operation]:
        return Operation.objects.with_names().filter(state=state, **{f"{column}__lt": before})[:CLOSED_A_ROUND]

    return CompiledQuery(left, types=(datetime,))


def _late(now: datetime) -> QuerySet[PendingChallenge]:
    return PendingChallenge.objects.filter(expires_at__lt=now)[:CLOSED_A_ROUND]


def _waiting(now: datetime, since: datetime) -> QuerySet[PendingChallenge]:
    """Challenges of customers with an attempt that a bank rejected."""
    refused = Operation.objects.filter(counts_as_attempt=True, finished_at__gt=since).values("end_user")
    waiting = PendingChallenge.objects.filter(expires_at__gte=now, operation__end_user__in=refused)
    waiting = waiting.defer("encrypted_session", "encrypted_shown")  # images may be large
    return waiting.select_related("operation")[:CLOSED_A_ROUND]


_DEAD = _left_in(State.SENDING, "lease_until")
_NEVER_SENT = _left_in(State.PREPARED, "created_at")
_UNPROVEN = _left_in(State.UNKNOWN, "sent_at")
_LATE = CompiledQuery(_late, types=(datetime,))
_WAITING = CompiledQuery(_waiting, types=(datetime, datetime))


def _close_each(rows: Sequence[Row], close: Callable[[Row], bool]) -> int:
    closed = 0
    for row in rows:
        try:
            closed += close(row)
        except Exception as error:  # noqa: BLE001 - one bad row must not block the others
            logger.error("operation.not_closed", row=str(row.pk), error=type(error).__name__)
    return closed


def _mark_lost(operation: Operation, *, now: datetime) -> bool:
    return _expire(operation, State.UNKNOWN, "process_died", now=now)


def _claim_check(operation: Operation, *, now: datetime) -> bool:
    # So that two workers don't both read.
    due = Operation.objects.filter(pk=operation.pk, state=State.UNKNOWN, check_at__lte=now)
    return bool(due.update(check_at=now + CHECK_EVERY))


def _or_undecided(operation: Operation, *, now: datetime) -> Finding[Any]:
    waited = now - operation.began_at
    if waited >= timedelta(seconds=settings.OPERATION_UNDECIDED_SECONDS):
        return Finding(State.NEEDS_DECISION, "no_proof")
    return NOTHING


@transaction.atomic
def _expire(operation: Operation, to: State, why: str, *, now: datetime) -> bool:
    operation.outcome = why
    return move(operation, to, by=By.EXPIRY, at=now)


def _end_if_spent(challenge: PendingChallenge, *, now: datetime) -> bool:
    if budget_of(challenge.operation).codes_left:
        return False
    return _end_step(challenge, State.REJECTED, ATTEMPTS_SPENT, Cause.CODE_NEEDED, now=now)


@transaction.atomic
def _end_step(challenge: PendingChallenge, state: State, why: str, cause: Cause, *, now: datetime) -> bool:
    """False if the code was submitted or the step canceled meanwhile."""
    operation = locked(challenge.operation, State.NEEDS_CODE)
    if operation is None:
        return False
    challenge.delete()
    stop_waiting(operation, cause, at=now)
    return _expire(operation, state, why, now=now)
