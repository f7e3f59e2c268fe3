"""Stores an integration's keys encrypted, and records from each response whether the provider accepts them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery
from linkadmin.encryption.box import DecryptionError, decrypt, encrypt, fingerprint
from linkadmin.providers.errors import Blocked, CodeRequired, Failure, KeysRejected, ProviderError, Rejected
from linkadmin.providers.types import Secret

from .models import Integration, IntegrationSecret

_SECRETS = CompiledQuery(lambda integration: IntegrationSecret.objects.filter(integration=integration))
TABLE = "links_integrationsecret"  # part of the associated data, even if the table is renamed


@transaction.atomic
def store_secret(integration: Integration, name: str, secret: Secret) -> None:
    row, _ = IntegrationSecret.objects.select_for_update(no_key=True).get_or_create(
        integration=integration, name=name, defaults={"encrypted": b"", "version": 0}
    )
    row.version += 1
    row.encrypted = encrypt(secret, table=TABLE, row=row.pk, field=name, version=row.version)
    row.fingerprint = fingerprint(secret)
    row.changed_at = timezone.now()
    row.save()


def secrets_of(integration: Integration) -> dict[str, Secret]:
    try:
        return {
            row.name: decrypt(row.encrypted, table=TABLE, row=row.pk, field=row.name, version=row.version)
            for row in _SECRETS.instances(integration.pk)
        }
    except DecryptionError as broken:
        failure = Failure(f"{integration.provider}.connect", words=str(broken), reason="not_decryptable")
    raise KeysRejected(failure)


def note_result(integration: Integration, error: ProviderError | None) -> None:
    # Flags the integration, never its links.
    if isinstance(error, KeysRejected):
        _note_rejected(integration, error)
    elif error is None or (isinstance(error, Rejected | CodeRequired) and not isinstance(error, Blocked)):
        # Without a response from the provider, we know nothing about the keys.
        _note_good(integration)


def retry_at(error: KeysRejected) -> datetime | None:
    """When rejected keys may be retried without a person; None if never."""
    seconds = error.failure.retry_after
    return timezone.now() + timedelta(seconds=seconds) if seconds else None


def _note_rejected(integration: Integration, error: KeysRejected) -> None:
    rows, until = Integration.objects.filter(pk=integration.pk), retry_at(error)
    if until is not None:  # never shortens a rejection that only a person can end
        rows = rows.exclude(key_state=Integration.KeyState.REJECTED, keys_retry_at=None)
    rows.update(
        key_state=Integration.KeyState.REJECTED,
        keys_rejected_at=Coalesce("keys_rejected_at", timezone.now()),
        keys_retry_at=until,
        test_detail=error.failure.words[:500],
        tested_at=timezone.now(),
    )


def _note_good(integration: Integration) -> None:
    # A rejection since this call was admitted stays.
    good, now = Integration.KeyState.VALID, timezone.now()
    if integration.key_state != good:
        rows = Integration.objects.filter(pk=integration.pk).exclude(key_state=good)
        rows.filter(~Q(key_state=Integration.KeyState.REJECTED) | Q(keys_retry_at__lte=now)).update(
            key_state=good, keys_rejected_at=None, keys_retry_at=None, test_detail="", tested_at=now
        )
