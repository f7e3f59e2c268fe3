"""From an integration's row to a provider that can be spoken with: address, options, opened keys, deadlines."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.models import Outcome
from linkadmin.providers import get_provider
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import CodeRequired, Failure, KeysRefused, ProviderError, Rejected
from linkadmin.providers.types import Deadlines, Secret

from .models import Integration, IntegrationSecret
from .sealed import SealBroken, fingerprint, seal, unseal

SECRET_TABLE = IntegrationSecret._meta.db_table


def connect(integration: Integration) -> Provider:
    """Return the provider behind an integration, holding its keys for as long as the object lives.

    Raises `KeysRefused` when a key is missing, or does not open any more.
    """
    return get_provider(
        integration.provider,
        base_url=integration.base_url,
        options=integration.options,
        secrets=_opened(integration),
        deadlines=Deadlines(
            read=settings.PROVIDER_READ_SECONDS,
            change=settings.PROVIDER_CHANGE_SECONDS,
            credentials=settings.PROVIDER_CREDENTIALS_SECONDS,
        ),
        allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
    )


@transaction.atomic
def keep_secret(integration: Integration, name: str, secret: Secret) -> None:
    """Seal a key of an integration in place of the one it had."""
    row, _ = IntegrationSecret.objects.select_for_update().get_or_create(
        integration=integration, name=name, defaults={"sealed": b"", "version": 0}
    )
    row.version += 1
    row.sealed = seal(secret, table=SECRET_TABLE, row=row.pk, field=name, version=row.version)
    row.fingerprint = fingerprint(secret)
    row.changed_at = timezone.now()
    row.save()


def test_connection(integration: Integration, *, actor: User) -> Integration:
    """Ask the provider whether address and keys are good, and keep its answer with the integration."""
    try:
        report = connect(integration).test_connection()
    except ProviderError as error:
        return _note_test(integration, actor=actor, error=error)
    return _note_test(integration, actor=actor, detail=f"{report.detail} ({report.duration_ms} ms)")


def note_keys(integration: Integration, error: ProviderError) -> None:
    """Note what an answer said about the integration's keys: one warning here, and no link is at fault."""
    if not isinstance(error, Rejected | CodeRequired):
        return  # no answer came, and silence says nothing about keys
    state = Integration.KeyState.REFUSED if isinstance(error, KeysRefused) else Integration.KeyState.GOOD
    detail = error.failure.words[:500] if isinstance(error, KeysRefused) else ""
    changed = Integration.objects.filter(pk=integration.pk).exclude(key_state=state)
    changed.update(key_state=state, test_detail=detail, tested_at=timezone.now())


def note_good_keys(integration: Integration) -> None:
    """Take back the warning about an integration's keys: a call was answered with them."""
    if integration.keys_refused:
        Integration.objects.filter(pk=integration.pk).update(
            key_state=Integration.KeyState.GOOD, test_detail="", tested_at=timezone.now()
        )


@transaction.atomic
def _note_test(
    integration: Integration, *, actor: User, detail: str = "", error: ProviderError | None = None
) -> Integration:
    states = Integration.KeyState
    if error is not None:
        failure = error.failure
        detail = " · ".join(filter(None, [str(failure.status or ""), failure.code or failure.reason, failure.words]))
    integration.key_state = (
        states.GOOD if error is None else states.REFUSED if isinstance(error, KeysRefused) else states.UNREACHABLE
    )
    integration.tested_at = timezone.now()
    integration.test_detail = detail[:500]
    integration.save(update_fields=["key_state", "tested_at", "test_detail"])
    log.record(
        actor=actor,
        action="integration.tested",
        object_type="integration",
        object_id=str(integration.pk),
        outcome=Outcome.DONE if error is None else Outcome.REFUSED,
        details={"keys": integration.key_state},
    )
    return integration


def _opened(integration: Integration) -> dict[str, Secret]:
    try:
        return {row.name: _open(row) for row in integration.secrets.all()}
    except SealBroken as broken:
        failure = Failure(f"{integration.provider}.connect", words=str(broken), reason="seal_broken")
    raise KeysRefused(failure)


def _open(row: IntegrationSecret) -> Secret:
    return unseal(row.sealed, table=SECRET_TABLE, row=row.pk, field=row.name, version=row.version)
