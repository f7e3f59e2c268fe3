"""What a page shows a little later, and nobody may read in the database: encrypted beside its row.

It goes with the row: when it's used, replaced or canceled, in the transaction that does so, and when it expires.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from linkadmin.integrations.encryption import DecryptionError, decrypt, encrypt
from linkadmin.links.models import Link
from linkadmin.providers.types import Challenge, Secret

from .models import Operation, PendingChallenge, RepairUrl

# Parts of the associated data: a row that was encrypted with other names can't be read.
_CHALLENGES, _REPAIR_URLS = "operations_pendingchallenge", "operations_repairurl"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a bank shows the customer while it waits for a code: a number, a picture, a text."""

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
    shown = json.dumps(astuple(Shown(asked.instructions, asked.value)))
    challenge.encrypted_session = _encrypt(asked.session, _CHALLENGES, challenge.pk, "session")
    challenge.encrypted_shown = _encrypt(Secret(shown), _CHALLENGES, challenge.pk, "shown")
    challenge.save(force_insert=True)


def session_of(challenge: PendingChallenge) -> Secret:
    """Return the provider's session; empty if it doesn't open with our keys."""
    return _decrypt(challenge.encrypted_session, _CHALLENGES, challenge.pk, "session") or Secret("")


def shown_of(challenge: PendingChallenge) -> Shown | None:
    """Return what the bank shows with a challenge; None if it doesn't open with our keys."""
    opened = _decrypt(challenge.encrypted_shown, _CHALLENGES, challenge.pk, "shown")
    return Shown(*json.loads(opened.reveal())) if opened else None


def store_repair_url(operation: Operation, url: Secret, *, expires_at: datetime) -> None:
    """Store the URL that an operation has made, in place of an earlier one for the same link."""
    if operation.link:
        delete_repair_urls([operation.link])
    stored = RepairUrl(operation=operation, expires_at=expires_at)
    stored.encrypted = _encrypt(url, _REPAIR_URLS, stored.pk, "url")
    stored.save(force_insert=True)


def repair_url_of(operation: Operation, *, now: datetime) -> Secret | None:
    """Return the URL that an operation has made; None if it expired, was replaced, or doesn't open with our keys."""
    stored = RepairUrl.objects.filter(operation=operation, expires_at__gt=now).first()
    return _decrypt(stored.encrypted, _REPAIR_URLS, stored.pk, "url") if stored else None


def delete_repair_urls(links: Sequence[Link]) -> None:
    RepairUrl.objects.filter(operation__link__in=links).delete()


def delete_expired(*, now: datetime) -> None:
    """Delete what has expired, whatever keeps its operation from being closed."""
    RepairUrl.objects.filter(expires_at__lte=now).delete()
    expired = PendingChallenge.objects.filter(expires_at__lte=now)
    emptied = {"encrypted_session": b"", "encrypted_shown": b""}
    expired.exclude(**emptied).update(**emptied)


def _encrypt(secret: Secret, table: str, row: UUID, field: str) -> bytes:
    return encrypt(secret, table=table, row=row, field=field, version=1)


def _decrypt(encrypted: bytes | memoryview, table: str, row: UUID, field: str) -> Secret | None:
    try:
        return decrypt(encrypted, table=table, row=row, field=field, version=1)
    except DecryptionError:
        return None
