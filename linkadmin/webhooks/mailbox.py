"""The address of an integration's messages, and what it takes to tell there whether one is genuine."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.links.models import Integration
from linkadmin.links.sealed import unseal
from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.http.redaction import Redactor
from linkadmin.providers.types import Secret

from .models import Mailbox, WebhookSecret, new_path

HELD_SECONDS = 2.0  # a change of address or secrets is known to all processes after so long


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox that is open: the integration behind an address, and its live secrets."""

    integration_id: UUID
    provider_class: type[Provider]
    secrets: tuple[tuple[UUID, Secret], ...] = field(repr=False)
    redactor: Redactor = field(repr=False)

    def proof_of(self, headers: Mapping[str, str], body: bytes) -> UUID | None:
        """Return which secret a message proves itself with; None if it is not genuine. Every secret is tried."""
        proven = [pk for pk, secret in self.secrets if self.provider_class.webhook_is_genuine(headers, body, [secret])]
        return proven[0] if proven else None


_held: dict[str, tuple[float, Box]] = {}  # by address, until when (monotonic seconds)


@transaction.atomic
def renew(integration: Integration, *, by: User | None) -> Mailbox:
    """Give an integration a new address; what is sent to the one it had is refused from now on."""
    box, is_new = Mailbox.objects.update_or_create(
        integration=integration, defaults={"path": new_path(), "made_at": timezone.now()}
    )
    transaction.on_commit(forget)
    log.record(
        actor=by,
        action="integration.inbox_opened" if is_new else "integration.inbox_address_renewed",
        object_type="integration",
        object_id=integration.pk,
        outcome=Outcome.DONE,
    )
    return box


def open_at(provider: str, path: str) -> Box | None:
    """Return the mailbox at an address, or None. Raises SealBroken if a secret of it does not open."""
    address = f"{provider}/{path}"
    until, box = _held.get(address, (0.0, None))
    if box is not None and time.monotonic() < until:
        return box
    box = _read(provider, path)
    if box is not None:
        _held[address] = (time.monotonic() + HELD_SECONDS, box)
    return box


def forget() -> None:
    """Read every mailbox anew: an address or a secret has changed."""
    _held.clear()


def _read(provider: str, path: str) -> Box | None:
    """Read a mailbox with all its secrets in one statement."""
    rows = Mailbox.objects.filter(path=path, integration__provider=provider).values_list(
        "integration_id",
        *(f"integration__webhook_secrets__{name}" for name in ("pk", "sealed", "version", "retired_at")),
    )
    found = list(rows)
    if not found:
        return None
    secrets = tuple(
        (pk, unseal(sealed, table=WebhookSecret._meta.db_table, row=pk, field="sealed", version=version))
        for _integration, pk, sealed, version, retired_at in found
        if pk and retired_at is None
    )
    redactor = Redactor(secret for _pk, secret in secrets)
    return Box(found[0][0], provider_class(provider), secrets, redactor)
