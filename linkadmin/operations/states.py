"""The legal moves of an operation, and the one function that makes them, atomically from the state that was read.

None leads back to PREPARED, so no operation is sent twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import ObjectType, OperationStep, of_operation
from linkadmin.audit.models import Outcome
from linkadmin.compiled_query import CompiledQuery
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser

from .models import OPEN_STATES, Operation, OperationQuerySet, State
from .refusals import Refusal


class By(StrEnum):
    """What triggers a move."""

    START = "start"  # claims it, committed before the first byte leaves
    RESPONSE = "response"  # to its call
    CODE = "code"  # was given: another operation sends it
    EXPIRY = "expiry"  # of a lease or a challenge, or of the time for proof
    RECONCILIATION = "reconciliation"  # by what the provider's records show
    WITHDRAWAL = "withdrawal"  # by a person
    DECISION = "decision"  # of a person


MOVES: Mapping[By, Mapping[State, frozenset[State]]] = {
    By.START: {State.PREPARED: frozenset({State.SENDING})},
    By.RESPONSE: {
        State.SENDING: frozenset(
            {State.NOT_SENT, State.SUCCEEDED, State.REJECTED, State.NEEDS_CODE, State.EXPIRED, State.UNKNOWN}
        )
    },
    By.CODE: {State.NEEDS_CODE: frozenset({State.CODE_ENTERED})},
    By.EXPIRY: {
        State.PREPARED: frozenset({State.CANCELED}),
        State.SENDING: frozenset({State.UNKNOWN}),
        State.NEEDS_CODE: frozenset({State.EXPIRED, State.REJECTED}),
        State.UNKNOWN: frozenset({State.NEEDS_DECISION}),
    },
    By.RECONCILIATION: {
        State.UNKNOWN: frozenset({State.CONFIRMED_DONE, State.CONFIRMED_NOT_DONE, State.EXPIRED, State.NEEDS_DECISION})
    },
    By.WITHDRAWAL: {State.NEEDS_CODE: frozenset({State.EXPIRED})},
    By.DECISION: {State.NEEDS_DECISION: frozenset({State.CONFIRMED_DONE, State.CONFIRMED_NOT_DONE})},
}
OUTCOMES: Mapping[State, Outcome] = {
    State.NOT_SENT: Outcome.NOT_SENT,
    State.SUCCEEDED: Outcome.DONE,
    State.REJECTED: Outcome.REJECTED,
    State.NEEDS_CODE: Outcome.NEEDS_CODE,
    State.EXPIRED: Outcome.EXPIRED,
    State.CANCELED: Outcome.CANCELED,
    State.UNKNOWN: Outcome.UNKNOWN,
    State.NEEDS_DECISION: Outcome.NEEDS_DECISION,
    State.CONFIRMED_DONE: Outcome.DONE,
    State.CONFIRMED_NOT_DONE: Outcome.REJECTED,
}
# Their events name the action, not the outcome of the operation.
_STEPS: Mapping[By, OperationStep] = {By.WITHDRAWAL: ".canceled", By.DECISION: ".resolved"}
# The intent already has an event.
_UNRECORDED = (By.START, By.CODE)


class IllegalMove(Exception):
    """Our own bug: the table has no such move."""


def lock_integration(integration_id: UUID) -> None:
    """Until the transaction ends, no other change of the integration starts, and its environment stays."""
    Integration.objects.select_for_update(no_key=True).get(pk=integration_id)


def locked(operation: Operation, state: State) -> Operation | None:
    """The row, locked until the transaction ends; None if it isn't in that state or was moved since it was read."""
    if operation.link_id is None and operation.creates_link:
        lock_integration(operation.integration_id)  # the first link fixes its environment
    rows: Sequence[Operation] = _LOCKED.instances(operation.pk)
    return next((row for row in rows if row.state == state and row.version == operation.version), None)


def _locked(pk: UUID) -> "OperationQuerySet":
    return Operation.objects.select_for_update(of=("self",), no_key=True).with_names().filter(pk=pk)


_LOCKED = CompiledQuery(_locked)


@transaction.atomic(savepoint=False)
def move(
    operation: Operation,
    to: State,
    *,
    by: By,
    at: datetime,
    actor: User | None = None,
    details: Mapping[str, str | int] | None = None,
) -> bool:
    """Move an operation, save its changed fields, and record the event; False if it was moved meanwhile.

    Call it last in the transaction: the audit log is locked from here on. Raises IllegalMove.
    """
    if to not in MOVES[by].get(State(operation.state), ()):
        raise IllegalMove(f"from {operation.state} to {to} by {by}")
    is_over = to not in OPEN_STATES or operation.counts_as_attempt
    operation.finished_at = at if is_over else None
    operation.check_at = at if to is State.UNKNOWN else operation.check_at
    fields = [field.attname for field in Operation._meta.concrete_fields if not field.primary_key]
    columns = {name: getattr(operation, name) for name in fields}
    rows = Operation.objects.filter(pk=operation.pk, state=operation.state, version=operation.version)
    if not rows.update(**columns | {"state": to, "version": operation.version + 1}):
        return False
    operation.state, operation.version = to, operation.version + 1
    if by in _STEPS:
        record(operation, Outcome.DONE, actor=actor, step=_STEPS[by], details=details)
    elif by not in _UNRECORDED:
        record(operation, OUTCOMES[to], actor=actor, details=operation.audit_details())
    return True


def record(
    operation: Operation,
    outcome: Outcome,
    *,
    actor: User | None,
    step: OperationStep = "",
    details: Mapping[str, str | int] | None = None,
    is_stored: bool = True,
) -> None:
    """`step` is empty for the request itself; `actor` is None for the system."""
    object_type, object_id = _object_of(operation, is_stored=is_stored)
    log.record(
        actor=actor,
        action=of_operation(operation.kind, step),
        object_type=object_type,
        object_id=object_id,
        outcome=outcome,
        operation_id=str(operation.pk) if is_stored else "",
        details=details,
    )


def refused(operation: Operation, refusal: Refusal, *, actor: User | None = None, is_stored: bool = False) -> Refusal:
    details = {"reason": refusal.reason, "integration": str(operation.integration_id)}
    record(operation, Outcome.NOT_SENT, actor=actor or operation.actor, details=details, is_stored=is_stored)
    return refusal


def _object_of(operation: Operation, *, is_stored: bool) -> tuple[ObjectType, str]:
    # A refused operation may name a customer who was never stored.
    if operation.link_id:
        return ObjectType.LINK, str(operation.link_id)
    customer = operation.end_user_id
    if customer and (is_stored or EndUser.objects.filter(pk=customer).exists()):
        return ObjectType.END_USER, str(customer)
    return ObjectType.INTEGRATION, str(operation.integration_id)
