"""Values a page needs later that nobody may read in the database: encrypted in their row.

They're deleted with the row: in the transaction that uses, replaces or cancels it, and when it expires.
"""

import json
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from linkadmin.compiled_query import CompiledQuery
from linkadmin.encryption.box import DecryptionError, decrypt, encrypt
from linkadmin.providers.types import Challenge, Secret

from .models import Operation, PendingChallenge

# Part of the associated data: a row encrypted under other names can't be decrypted.
_CHALLENGES = "operations_pendingchallenge"


@dataclass(frozen=True, slots=True)
class ShownChallenge:
    """What a bank shows while it waits for a code: a number, an image, a text."""

    instructions: str = field(repr=False)
    value: str = field(repr=False)


def store_challenge(operation: Operation, asked: Challenge, *, received_at: datetime) -> None:
    challenge = PendingChallenge(
        operation=operation,
        remote_link_id=asked.remote_link_id,
        kind=asked.kind,
        expects_input=asked.expects_input,
        received_at=received_at,
        expires_at=received_at + timedelta(seconds=asked.expires_in),
    )
    shown = json.dumps(astuple(ShownChallenge(asked.instructions, asked.value)))
    challenge.encrypted_session = _encrypt(asked.session, _CHALLENGES, challenge.pk, "session")
    challenge.encrypted_shown = _encrypt(Secret(shown), _CHALLENGES, challenge.pk, "shown")
    challenge.save(force_insert=True)


def session_of(challenge: PendingChallenge) -> Secret:
    """Empty if our keys can't decrypt it."""
    return _decrypt(challenge.encrypted_session, _CHALLENGES, challenge.pk, "session") or Secret("")


def shown_challenge(challenge: PendingChallenge) -> ShownChallenge | None:
    """None if our keys can't decrypt it."""
    opened = _decrypt(challenge.encrypted_shown, _CHALLENGES, challenge.pk, "shown")
    return ShownChallenge(*json.loads(opened.reveal())) if opened else None


def delete_expired(*, now: datetime) -> None:
    # Even if their operation can't be closed.
    if _EXPIRED_CHALLENGE.row(now):
        _expired_challenges(now).update(**_EMPTIED)


def _expired_challenges(now: datetime) -> "QuerySet[PendingChallenge]":
    return PendingChallenge.objects.filter(expires_at__lte=now).exclude(**_EMPTIED)


_EMPTIED = {"encrypted_session": b"", "encrypted_shown": b""}
_EXPIRED_CHALLENGE = CompiledQuery(lambda now: _expired_challenges(now).values_list("pk")[:1], types=(datetime,))


def _encrypt(secret: Secret, table: str, row: UUID, field: str) -> bytes:
    return encrypt(secret, table=table, row=row, field=field, version=1)


def _decrypt(encrypted: bytes | memoryview, table: str, row: UUID, field: str) -> Secret | None:
    try:
        return decrypt(encrypted, table=table, row=row, field=field, version=1)
    except DecryptionError:
        return None
