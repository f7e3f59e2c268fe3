"""The URL of an integration's webhooks and its signing secrets. Two secrets may be live, to rotate without a gap."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.encryption.box import decrypt, encrypt, fingerprint
from linkadmin.integrations.models import Integration
from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.http.redaction import Redactor
from linkadmin.providers.types import Secret

from .models import ENCRYPTED_FOR, LIVE_SECRETS, PUBLISHED_KEY_LIFE, WebhookEndpoint, WebhookSecret, new_path

CACHE_SECONDS = 2.0  # until all processes see a new URL or secret
RECENT_DELIVERIES = 100  # counted to show which secrets are in use


class TooManySecrets(Exception):
    """Two secrets are live already: revoke one first."""


class StaleForm(Exception):
    """Another secret was added after the form was shown."""


@dataclass(frozen=True, slots=True)
class LoadedEndpoint:
    """The integration behind a URL and its live secrets."""

    integration_id: UUID
    provider_class: type[Provider]
    secrets: tuple[tuple[UUID, Secret], ...] = field(repr=False)
    redactor: Redactor = field(repr=False)

    def secret_of(self, headers: Mapping[str, str], body: bytes) -> UUID | None:
        """Return the secret a delivery is signed with; None if it isn't genuine. Always tries every secret."""
        is_genuine = self.provider_class.webhook_is_genuine
        matching = [pk for pk, secret in self.secrets if is_genuine(headers, body, [secret])]
        return matching[0] if matching else None


@dataclass(frozen=True, slots=True)
class SecretInUse:
    """A live secret, and how many of the last deliveries it signed."""

    row: WebhookSecret
    proved: int
    of: int


_loaded: dict[str, tuple[float, LoadedEndpoint]] = {}  # by URL path; the float is the expiry (monotonic seconds)


@transaction.atomic
def renew(integration: Integration, *, by: User | None) -> WebhookEndpoint:
    """Requests to the old URL are rejected from now on."""
    endpoint, is_new = WebhookEndpoint.objects.update_or_create(
        integration=integration, defaults={"path": new_path(), "created_at": timezone.now()}
    )
    _record(integration.pk, Action.ENDPOINT_CREATED if is_new else Action.ENDPOINT_URL_RENEWED, by=by)
    return endpoint


def load(provider: str, path: str) -> LoadedEndpoint | None:
    """Raises DecryptionError."""
    address = f"{provider}/{path}"
    until, endpoint = _loaded.get(address, (0.0, None))
    if endpoint is not None and time.monotonic() < until:
        return endpoint
    endpoint = _read(provider, path)
    if endpoint is not None:
        _loaded[address] = (time.monotonic() + CACHE_SECONDS, endpoint)
    return endpoint


def forget() -> None:
    _loaded.clear()


@transaction.atomic
def add_secret(integration: Integration, secret: Secret, *, by: User | None, after: int) -> WebhookSecret:
    """Encrypt and store a new secret, the one after version `after`.

    Raises StaleForm if `after` isn't the latest version, and TooManySecrets.
    """
    Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    if latest_version(integration) != after:
        raise StaleForm
    if integration.webhook_secrets.filter(revoked_at=None).count() >= LIVE_SECRETS:
        raise TooManySecrets
    row = WebhookSecret(integration=integration, version=after + 1, created_by=by, fingerprint=fingerprint(secret))
    row.encrypted = encrypt(secret, row=row.pk, version=row.version, **ENCRYPTED_FOR)
    row.save(force_insert=True)
    _record(integration.pk, Action.WEBHOOK_SECRET_ADDED, by=by, fingerprint=row.fingerprint)
    return row


@transaction.atomic
def revoke_secret(row: WebhookSecret, *, by: User) -> None:
    live = WebhookSecret.objects.filter(pk=row.pk, revoked_at=None)
    if live.update(revoked_at=timezone.now(), encrypted=b""):
        _record(row.integration_id, Action.WEBHOOK_SECRET_REVOKED, by=by, fingerprint=row.fingerprint)


def latest_version(integration: Integration) -> int:
    return integration.webhook_secrets.aggregate(latest=Max("version"))["latest"] or 0


def secrets_in_use(integration: Integration) -> list[SecretInUse]:
    live = integration.webhook_secrets.filter(revoked_at=None).select_related("created_by").order_by("-version")
    proved = Counter(integration.deliveries.order_by("-pk").values_list("secret_id", flat=True)[:RECENT_DELIVERIES])
    return [SecretInUse(row, proved[row.pk], proved.total()) for row in live]


def _read(provider: str, path: str) -> LoadedEndpoint | None:
    columns = ("pk", "encrypted", "version", "revoked_at", "created_at")
    names = (f"integration__webhook_secrets__{name}" for name in columns)
    endpoint = WebhookEndpoint.objects.filter(path=path, integration__provider=provider)
    found = list(endpoint.values_list("integration_id", *names))
    if not found:
        return None
    oldest = timezone.now() - PUBLISHED_KEY_LIFE if provider_class(provider).publishes_webhook_keys else None
    secrets = tuple(
        (pk, decrypt(encrypted, row=pk, version=version, **ENCRYPTED_FOR))
        for _integration, pk, encrypted, version, revoked_at, created_at in found
        if pk and revoked_at is None and (oldest is None or created_at > oldest)
    )
    redactor = Redactor(secret for _pk, secret in secrets)
    return LoadedEndpoint(found[0][0], provider_class(provider), secrets, redactor)


def _record(integration_id: UUID, action: Action, *, by: User | None, **details: str) -> None:
    transaction.on_commit(forget)
    record(
        actor=by,
        action=action,
        object_type=ObjectType.INTEGRATION,
        object_id=integration_id,
        outcome=Outcome.DONE,
        details=details,
    )
