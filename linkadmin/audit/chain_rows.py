"""Statements of an append: the ORM takes longer to build them than the database to run them, under the chain's lock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.db import connection

from linkadmin.compiled_query import time_of

from .chain import canonical_text
from .models import AuditEvent, AuditHead

TEXTS = (
    *("actor_id", "actor", "actor_role", "action", "object_type"),
    *("object_id", "outcome", "operation_id", "request_id"),
)
COLUMNS = ("seq", "at", *TEXTS, "details", "prev", "canonical", "hash", "mac")


@dataclass(frozen=True, slots=True)
class Proof:
    """What makes an event part of the chain."""

    prev: str
    canonical: str
    hash: str
    mac: str


_proof_values = attrgetter("prev", "canonical", "hash", "mac")


def locked_head() -> AuditHead:
    """Return the head, locked until the transaction ends. On SQLite the transaction has the only lock."""
    columns = ("id", "seq", "hash", "signed_seq", "signed_at")
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM audit_audithead{lock}")  # noqa: S608 - our own names
        found = cursor.fetchone()
    if found is None:
        raise AuditHead.DoesNotExist
    return AuditHead.from_db(None, columns, [*found[:-1], time_of(found[-1])])


def check_lengths(texts: Mapping[str, str]) -> None:
    for name, limit in _limits().items():
        if len(texts[name]) > limit:
            raise ValidationError({name: f"longer than {limit} characters"})


def append(
    seq: int,
    at: datetime,
    texts: Mapping[str, str],
    details: Mapping[str, str | int],
    proof: Proof,
    *,
    is_signed: bool,
) -> None:
    """Insert an event and move the head to it."""
    at_value = connection.ops.adapt_datetimefield_value(at)
    event = [seq, at_value, *(texts[name] for name in TEXTS), canonical_text(details), *_proof_values(proof)]
    head = [seq, proof.hash, *((seq, at_value) if is_signed else ())]
    insert, update = _INSERT, _MOVE_AND_SIGN if is_signed else _MOVE
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"WITH head AS ({update}) {insert}", head + event)  # one round trip while others wait
        else:
            cursor.execute(insert, event)
            cursor.execute(update, head)


@cache
def _limits() -> dict[str, int]:
    return {field.name: field.max_length or 0 for field in AuditEvent._meta.concrete_fields if field.name in TEXTS}


_INSERT = f"INSERT INTO audit_auditevent ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608
_MOVE = "UPDATE audit_audithead SET seq = %s, hash = %s"
_MOVE_AND_SIGN = f"{_MOVE}, signed_seq = %s, signed_at = %s"
