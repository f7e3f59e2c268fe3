"""The only writer of the audit log."""

from collections.abc import Mapping
from typing import Literal, Protocol

import structlog
from django.db import transaction
from django.utils import timezone

from . import chain_rows, heads
from .actions import Action, ObjectType, OperationAction
from .chain import audit_key, canonical_text, chained_hash, keyed_mac
from .chain_rows import Proof
from .models import Outcome

__all__ = ["Action", "ObjectType", "Outcome", "record"]

DETAIL_LIMIT = 200  # characters


class Actor(Protocol):
    """A member of staff."""

    @property
    def id(self) -> object: ...
    @property
    def username(self) -> str: ...
    @property
    def roles(self) -> str: ...


def record(
    *,
    actor: Actor | None,
    action: Action | OperationAction,
    outcome: Outcome | str,
    object_type: ObjectType | Literal[""] = "",
    object_id: object = "",
    operation_id: object = "",
    details: Mapping[str, str | int] | None = None,
) -> int:
    """Append one event to the chain, in the transaction of the action; without one, in its own. Return its number.

    Call it last in the transaction: appends block each other until commit. `actor` is None for background work. IDs are
    ours; details hold nothing personal or secret. If the event can't be written, the whole transaction rolls back.

    Raises ValidationError, ValueError or TypeError for invalid values, and ImproperlyConfigured without a key.
    """
    key = audit_key()
    texts = {
        "actor_id": str(actor.id) if actor else "",
        "actor": actor.username if actor else "",
        "actor_role": str(actor.roles) if actor else "",
        "action": str(action),
        "object_type": str(object_type),
        "object_id": str(object_id),
        "outcome": Outcome(outcome).value,
        "operation_id": str(operation_id),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    return _append(texts, _checked(details or {}), key)


def _append(texts: Mapping[str, str], details: Mapping[str, str | int], key: bytes) -> int:
    # No savepoint: if the event can't be written, a caller that catches the error must not commit its action.
    with transaction.atomic(savepoint=False):
        head = chain_rows.locked_head()
        seq, at = head.seq + 1, timezone.now()
        chain_rows.check_lengths(texts)
        canonical = canonical_text({**texts, "seq": seq, "at": at, "details": details})
        event_hash = chained_hash(canonical, prev=head.hash)
        proof = Proof(prev=head.hash, canonical=canonical, hash=event_hash, mac=keyed_mac(event_hash, key=key))
        is_due = heads.is_due(head, seq=seq, at=at)
        chain_rows.append(seq, at, texts, details, proof, is_signed=is_due)
        if is_due:
            transaction.on_commit(heads.sign, robust=True)
    return seq


def _checked(details: Mapping[str, str | int]) -> dict[str, str | int]:
    for name, value in details.items():
        if not isinstance(value, str | int):
            raise TypeError(f"the detail {name!r} must be a text, a whole number or a yes or no")
        if isinstance(value, str) and (len(value) > DETAIL_LIMIT or not value.isprintable()):
            raise ValueError(f"the detail {name!r} must be printable and at most {DETAIL_LIMIT} characters")
    return dict(details)
