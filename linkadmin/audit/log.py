"""The only writer of the audit log."""

from collections.abc import Mapping
from typing import Literal, Protocol

import structlog
from django.db import transaction
from django.utils import timezone

from . import heads
from .actions import Action, ObjectType, OperationAction
from .chain import FACTS, audit_key, canonical_text, chained_hash, keyed_mac
from .models import AuditEvent, AuditHead, Outcome

__all__ = ["Action", "ObjectType", "Outcome", "record"]

DETAIL_LIMIT = 200  # characters


class Actor(Protocol):
    """A member of staff."""

    @property
    def id(self) -> object: ...
    @property
    def username(self) -> str: ...
    @property
    def role(self) -> str: ...


def record(
    *,
    actor: Actor | None,
    action: Action | OperationAction,
    outcome: Outcome | str,
    object_type: ObjectType | Literal[""] = "",
    object_id: object = "",
    operation_id: object = "",
    details: Mapping[str, str | int] | None = None,
) -> AuditEvent:
    """Append one event to the chain, in the transaction of the action; without one, in its own.

    Call it last in the transaction: appends block each other until commit. `actor` is None for background work. IDs are
    ours; details hold nothing personal or secret. If the event can't be written, the whole transaction rolls back.

    Raises ValidationError, ValueError or TypeError for invalid values, and ImproperlyConfigured without a key.
    """
    key = audit_key()
    event = AuditEvent(
        actor_id=str(actor.id) if actor else "",
        actor=actor.username if actor else "",
        actor_role=str(actor.role) if actor else "",
        action=str(action),
        object_type=str(object_type),
        object_id=str(object_id),
        outcome=Outcome(outcome).value,
        operation_id=str(operation_id),
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
        details=_checked(details or {}),
    )
    _append(event, key)
    return event


def _append(event: AuditEvent, key: bytes) -> None:
    # No savepoint: if the event can't be written, a caller that catches the error must not commit its action.
    with transaction.atomic(savepoint=False):
        head = AuditHead.objects.select_for_update().get()
        event.seq, event.prev, event.at = head.seq + 1, head.hash, timezone.now()
        event.canonical = canonical_text({name: getattr(event, name) for name in FACTS})
        event.hash = chained_hash(event.canonical, prev=event.prev)
        event.mac = keyed_mac(event.hash, key=key)
        event.clean_fields()
        event.save()
        marks = {"signed_seq": event.seq, "signed_at": event.at}
        is_due = heads.is_due(head, seq=event.seq, at=event.at)
        AuditHead.objects.update(seq=event.seq, hash=event.hash, **(marks if is_due else {}))
        if is_due:
            transaction.on_commit(heads.sign, robust=True)


def _checked(details: Mapping[str, str | int]) -> dict[str, str | int]:
    for name, value in details.items():
        if not isinstance(value, str | int):
            raise TypeError(f"the detail {name!r} must be a text, a whole number or a yes or no")
        if isinstance(value, str) and (len(value) > DETAIL_LIMIT or not value.isprintable()):
            raise ValueError(f"the detail {name!r} must be printable and at most {DETAIL_LIMIT} characters")
    return dict(details)
