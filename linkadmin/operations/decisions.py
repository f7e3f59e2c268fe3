"""What a person decides about an operation, without any call."""

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.links import due_reads
from linkadmin.links.models import Reason
from linkadmin.providers.types import Cause

from . import apply_response, refusals
from .events import refused
from .models import Operation, OperationKind, PendingChallenge, State
from .outcomes import repaired, stop_waiting
from .states import By, locked, move


def withdraw(*, actor: User, operation: Operation, reason: str = "") -> None:
    """Cancel a sign-in attempt that waits for a code, so that another can be started.

    That is for its owner, or for an account manager, with a reason.
    """
    try:
        if operation.actor_id != actor.pk and not (reason and may(actor, Right.WITHDRAW_CHALLENGE)):
            raise refusals.NotYoursToCancel
        _withdraw(actor, operation, reason)
    except refusals.Refusal as refusal:
        raise refused(operation, refusal, actor=actor, is_stored=True) from None


def decide(*, actor: User, operation: Operation, done: bool, note: str) -> None:
    """Settle an outcome that nobody could learn, by a person's word and reason."""
    try:
        if operation.actor_id == actor.pk:
            raise refusals.OwnOperation
        _decide(actor, operation, done=done, note=note)
    except refusals.Refusal as refusal:
        raise refused(operation, refusal, actor=actor, is_stored=True) from None


@transaction.atomic
def _withdraw(actor: User, operation: Operation, reason: str) -> None:
    now, current = timezone.now(), _locked(operation, State.NEEDS_CODE)
    current.outcome, current.note = "withdrawn", reason
    PendingChallenge.objects.filter(operation=current).delete()
    stop_waiting(current, Cause.CODE_NEEDED, at=now)
    move(current, State.EXPIRED, by=By.WITHDRAWAL, at=now, actor=actor, details={"owner": str(current.actor_id)})


@transaction.atomic
def _decide(actor: User, operation: Operation, *, done: bool, note: str) -> None:
    current = _locked(operation, State.NEEDS_DECISION)
    current.outcome, current.decided_by = "decided", actor
    current.note = " · ".join(filter(None, [current.note, note]))
    # Nobody knows whether the bank was asked and said no: count it as if it did.
    current.counts_as_attempt = current.logs_in and not done
    if done:
        _take_effect(current)
    state = State.CONFIRMED_DONE if done else State.CONFIRMED_NOT_DONE
    details = {"decided": "done" if done else "not_done"}
    move(current, state, by=By.DECISION, at=timezone.now(), actor=actor, details=details)


def _take_effect(operation: Operation) -> None:
    if operation.kind == OperationKind.REMOVE_LINK:
        apply_response.take_away(operation, apply_response.removal_cause(operation), at=timezone.now())
    elif operation.logs_in:
        repaired(operation, at=operation.began_at, request_id=operation.request_id)
    elif operation.link_id:
        due_reads.want([operation.link_id], reason=Reason.REPAIR, at=timezone.now())


def _locked(operation: Operation, state: State) -> Operation:
    """Lock an operation that is still in the state this act is for. Raises `NotOpen` if it is not."""
    current = locked(operation, state)
    if current is None:
        raise refusals.NotOpen
    return current
