"""What people close: a sign-in attempt that waits for a code, and an outcome that nothing proves."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links import due_reads
from linkadmin.links.models import Reason
from linkadmin.providers.types import Cause

from . import refusals
from .changes import change_of
from .link_updates import stop_waiting
from .models import Operation, PendingChallenge, State
from .states import By, locked, move, refused


def cancel_attempt(*, actor: User, operation: Operation, reason: str = "") -> None:
    """Open to the person who started it, and to account managers with a reason."""
    now = timezone.now()
    with _recorded(operation, actor), transaction.atomic():
        if operation.actor_id != actor.pk and not (reason and may(actor, Right.WITHDRAW_CHALLENGE)):
            raise refusals.NotYoursToCancel
        current = _locked(operation, State.NEEDS_CODE)
        current.outcome, current.note = "withdrawn", reason
        PendingChallenge.objects.filter(operation=current).delete()
        stop_waiting(current, Cause.CODE_NEEDED, at=now)
        move(
            current, State.EXPIRED, by=By.WITHDRAWAL, at=now, actor=actor, details={"started_by": str(current.actor_id)}
        )


def resolve_manually(*, actor: User, operation: Operation, done: bool, note: str) -> None:
    now = timezone.now()
    with _recorded(operation, actor), transaction.atomic():
        if operation.actor_id == actor.pk:
            raise refusals.OwnOperation
        current = _locked(operation, State.NEEDS_DECISION)
        current.outcome, current.decided_by = "decided", actor
        current.note = " · ".join(filter(None, [current.note, note]))
        # The bank may have rejected it, so it counts as an attempt.
        current.counts_as_attempt = current.logs_in and not done
        if done:
            change_of(current).apply(current, None, now)
            due_reads.want([current.link_id] if current.link_id else [], reason=Reason.REPAIR, at=now)
        state = State.CONFIRMED_DONE if done else State.CONFIRMED_NOT_DONE
        details = {"decided": "done" if done else "not_done"}
        move(current, state, by=By.DECISION, at=now, actor=actor, details=details)


@contextmanager
def _recorded(operation: Operation, actor: User) -> Iterator[None]:
    # Outside the transaction, which the refusal rolls back.
    try:
        yield
    except refusals.Refusal as refusal:
        raise refused(operation, refusal, actor=actor, is_stored=True) from None


def _locked(operation: Operation, state: State) -> Operation:
    current = locked(operation, state)
    if current is None:
        raise refusals.NotOpen
    return current
