"""Keys that a provider publishes by ID: fetched once, stored like a signing secret, and fetched again after a day.

Anybody can name a key, so that forgeries lead to few requests: one per ID and minute, and a fixed number in all.
"""

import threading
import time
from collections.abc import Mapping
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from linkadmin.database import on_live_connection
from linkadmin.encryption.box import decrypt, encrypt, fingerprint
from linkadmin.integrations.connections import client_for
from linkadmin.integrations.models import Integration
from linkadmin.providers.errors import NotFound
from linkadmin.providers.types import Secret

from . import endpoints
from .endpoints import LoadedEndpoint
from .models import ENCRYPTED_FOR, PUBLISHED_KEY_LIFE, WebhookSecret

AGAIN_AFTER = 60.0  # seconds, for an ID that led to no key
MOST_FETCHES = 20  # per process in that time

_lock = threading.Lock()
_fetched: dict[tuple[UUID, str], float] = {}  # by integration and ID: when (monotonic seconds)


def key_of(endpoint: LoadedEndpoint, headers: Mapping[str, str], body: bytes) -> UUID | None:
    """Return the key that a delivery is signed with, if the provider knows it. Raises ProviderError."""
    provider = endpoint.provider_class
    if not provider.publishes_webhook_keys or not (key_id := provider.webhook_key_id(headers, body)):
        return None
    row = on_live_connection(partial(_stored, endpoint.integration_id, key_id))
    row = row or _fetch(endpoint.integration_id, key_id)
    if row is None:
        return None
    key = decrypt(row.encrypted, row=row.pk, version=row.version, **ENCRYPTED_FOR)
    return row.pk if provider.webhook_is_genuine(headers, body, [key]) else None


def forget() -> None:
    with _lock:
        _fetched.clear()


def _stored(integration_id: UUID, key_id: str) -> WebhookSecret | None:
    named = WebhookSecret.objects.filter(integration=integration_id, fingerprint=fingerprint(Secret(key_id)))
    return named.filter(revoked_at=None, created_at__gt=timezone.now() - PUBLISHED_KEY_LIFE).first()


def _fetch(integration_id: UUID, key_id: str) -> WebhookSecret | None:
    if not _may_fetch((integration_id, key_id), now=time.monotonic()):
        return None
    integration = on_live_connection(partial(Integration.objects.get, pk=integration_id))
    try:
        key = client_for(integration, in_background=True).read_webhook_key(key_id)
    except NotFound:
        return None
    return None if key.is_expired else _store(integration, key_id, Secret(key.jwk))


def _may_fetch(named: tuple[UUID, str], *, now: float) -> bool:
    with _lock:
        for old in [each for each, at in _fetched.items() if at < now - AGAIN_AFTER]:
            del _fetched[old]
        if named in _fetched or len(_fetched) >= MOST_FETCHES:
            return False
        _fetched[named] = now
        return True


@transaction.atomic
def _store(integration: Integration, key_id: str, key: Secret) -> WebhookSecret:
    Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    name = fingerprint(Secret(key_id))
    now = timezone.now()
    old = Q(fingerprint=name) | Q(created_at__lte=now - PUBLISHED_KEY_LIFE)
    integration.webhook_secrets.filter(old, revoked_at=None).update(revoked_at=now, encrypted=b"")
    version = endpoints.latest_version(integration) + 1
    row = WebhookSecret(integration=integration, version=version, fingerprint=name)
    row.encrypted = encrypt(key, row=row.pk, version=version, **ENCRYPTED_FOR)
    row.save(force_insert=True)
    transaction.on_commit(endpoints.forget)
    return row
