"""The URL of an integration's webhooks, and what it takes to verify a delivery there."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.models import Outcome
from linkadmin.integrations.encryption import decrypt
from linkadmin.integrations.models import Integration
from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.http.redaction import Redactor
from linkadmin.providers.types import Secret

from .models import ENCRYPTED_FOR, WebhookEndpoint, new_path

CACHE_SECONDS = 2.0  # a change of address or secrets is known to all processes after so long


@dataclass(frozen=True, slots=True)
class LoadedEndpoint:
    """The integration behind a URL, and its live secrets."""

    integration_id: UUID
    provider_class: type[Provider]
    secrets: tuple[tuple[UUID, Secret], ...] = field(repr=False)
    redactor: Redactor = field(repr=False)

    def secret_of(self, headers: Mapping[str, str], body: bytes) -> UUID | None:
        """Return the secret that a delivery is signed with; None if it isn't genuine. Every secret is tried."""
        is_genuine = self.provider_class.webhook_is_genuine
        matching = [pk for pk, secret in self.secrets if is_genuine(headers, body, [secret])]
        return matching[0] if matching else None


_loaded: dict[str, tuple[float, LoadedEndpoint]] = {}  # by address, until when (monotonic seconds)


@transaction.atomic
def renew(integration: Integration, *, by: User | None) -> WebhookEndpoint:
    """Give an integration a new URL; what is sent to the one it had is refused from now on."""
    endpoint, is_new = WebhookEndpoint.objects.update_or_create(
        integration=integration, defaults={"path": new_path(), "created_at": timezone.now()}
    )
    transaction.on_commit(forget)
    log.record(
        actor=by,
        action=Action.ENDPOINT_CREATED if is_new else Action.ENDPOINT_URL_RENEWED,
        object_type=ObjectType.INTEGRATION,
        object_id=integration.pk,
        outcome=Outcome.DONE,
    )
    return endpoint


def load(provider: str, path: str) -> LoadedEndpoint | None:
    """Return the endpoint at a URL, or None. Raises DecryptionError if a secret of it does not open."""
    address = f"{provider}/{path}"
    until, endpoint = _loaded.get(address, (0.0, None))
    if endpoint is not None and time.monotonic() < until:
        return endpoint
    endpoint = _read(provider, path)
    if endpoint is not None:
        _loaded[address] = (time.monotonic() + CACHE_SECONDS, endpoint)
    return endpoint


def forget() -> None:
    """Read every endpoint again: a URL or a secret has changed."""
    _loaded.clear()


def _read(provider: str, path: str) -> LoadedEndpoint | None:
    """Read an endpoint with all its secrets in one statement."""
    rows = WebhookEndpoint.objects.filter(path=path, integration__provider=provider).values_list(
        "integration_id",
        *(f"integration__webhook_secrets__{name}" for name in ("pk", "encrypted", "version", "revoked_at")),
    )
    found = list(rows)
    if not found:
        return None
    secrets = tuple(
        (pk, decrypt(encrypted, row=pk, version=version, **ENCRYPTED_FOR))
        for _integration, pk, encrypted, version, revoked_at in found
        if pk and revoked_at is None
    )
    redactor = Redactor(secret for _pk, secret in secrets)
    return LoadedEndpoint(found[0][0], provider_class(provider), secrets, redactor)
