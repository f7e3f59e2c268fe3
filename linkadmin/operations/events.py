"""What the audit trail says about operations: each act and each move, in the transaction that makes it."""

from collections.abc import Mapping

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import ObjectType, OperationStep, of_operation
from linkadmin.audit.models import Outcome
from linkadmin.links.models import EndUser

from .models import Operation
from .refusals import Refusal


def record(
    operation: Operation,
    outcome: Outcome,
    *,
    actor: User | None,
    step: OperationStep = "",
    details: Mapping[str, str | int] | None = None,
    is_stored: bool = True,
) -> None:
    """Record an act about an operation; `step` is empty for its one call, and `actor` None for the machine."""
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
    """Record a refusal of ours and hand it back to be raised."""
    details = {"reason": refusal.reason}
    record(operation, Outcome.REJECTED, actor=actor or operation.actor, details=details, is_stored=is_stored)
    return refusal


def _object_of(operation: Operation, *, is_stored: bool) -> tuple[ObjectType, str]:
    """Return what an act about an operation is about. A new customer of a refused one was not stored either."""
    if operation.link_id:
        return ObjectType.LINK, str(operation.link_id)
    customer = operation.end_user_id
    if customer and (is_stored or EndUser.objects.filter(pk=customer).exists()):
        return ObjectType.END_USER, str(customer)
    return ObjectType.INTEGRATION, str(operation.integration_id)
