"""What a person decides about an operation, without any call."""

from functools import partial

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.audit.models import Outcome
from linkadmin.providers.types import Cause
from linkadmin.wake_worker import wake_worker

from . import apply_response, refusals
from .models import Operation, OperationKind, PendingChallenge, State
from .outcomes import repaired, stop_waiting
from .starting import record, refused


def withdraw(*, actor: User, operation: Operation, reason: str = "") -> None:
    """Cancel a sign-in attempt that waits for a code, so that another can be started.

    That is for its owner, or for an account manager, with a reason.
    """
    try:
        if operation.actor_id != actor.pk and not (reason and may(actor, Right.WITHDRAW_CHALLENGE)):
            raise refusals.NotYoursToCancel
        _withdraw(actor, operation, reason)
    except refusals.Refusal as refusal:
        raise refused(operation, refusal, actor=actor) from None


def decide(*, actor: User, operation: Operation, done: bool, note: str) -> None:
    """Settle an outcome that nobody could learn, by a person's word and reason."""
    try:
        if operation.actor_id == actor.pk:
            raise refusals.OwnOperation
        _decide(actor, operation, done=done, note=note)
    except refusals.Refusal as refusal:
        raise refused(operation, refusal, actor=actor) from None


@transaction.atomic
def _withdraw(actor: User, operation: Operation, reason: str) -> None:
    now = timezone.now()
    _move(operation, State.NEEDS_TOKEN, state=State.EXPIRED, outcome="withdrawn", ended_at=now, note=reason)
    PendingChallenge.objects.filter(operation=operation).delete()
    stop_waiting(operation, Cause.CODE_NEEDED, at=now)
    record(operation, actor, Outcome.DONE, what=".withdrawn", details={"owner": str(operation.actor_id)})


@transaction.atomic
def _decide(actor: User, operation: Operation, *, done: bool, note: str) -> None:
    _move(
        operation,
        State.UNDECIDED,
        state=State.CONFIRMED_DONE if done else State.CONFIRMED_NOT_DONE,
        outcome="decided",
        decided_by=actor,
        note=" · ".join(filter(None, [operation.note, note])),
        ended_at=timezone.now(),
        # Nobody knows whether the bank was asked and said no: count it as if it did.
        counts_as_attempt=operation.logs_in and not done,
    )
    if done:
        _take_effect(operation)
    record(operation, actor, Outcome.DONE, what=".decided", details={"decided": "done" if done else "not_done"})


def _take_effect(operation: Operation) -> None:
    if operation.kind == OperationKind.REMOVE_LINK:
        apply_response.take_away(operation, apply_response.removal_cause(operation), at=timezone.now())
        operation.save(update_fields=["result"])
    elif operation.logs_in:
        repaired(operation, at=operation.began_at, request_id=operation.request_id)
    elif operation.link_id:
        transaction.on_commit(partial(wake_worker, "sync.prove", operation.link_id))


def _move(operation: Operation, before: State, **columns: object) -> None:
    """Change an operation that is still in the state this act is for. Raises `NotOpen` if it is not."""
    rows = Operation.objects.filter(pk=operation.pk, state=before, version=operation.version)
    if not rows.update(version=operation.version + 1, **columns):
        raise refusals.NotOpen
