"""From an integration's row to a provider that can be spoken with: address, options, opened keys, deadlines."""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.models import Outcome
from linkadmin.providers import get_provider
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Blocked, Busy, CodeRequired, Failure, KeysRefused, ProviderError, Rejected
from linkadmin.providers.http.retries import Backoff
from linkadmin.providers.types import Deadlines, Secret

from .denials import DENIED
from .encryption import DecryptionError, decrypt, encrypt, fingerprint
from .models import Integration, IntegrationSecret
from .rate_limiter import RateLimiter

TABLE = "links_integrationsecret"  # in what a key is encrypted for, wherever it is stored


def client_for(integration: Integration, *, by_hand: bool = False, in_background: bool = False) -> Provider:
    """Return the provider behind an integration, holding its keys for as long as the object lives.

    Each of its calls is admitted by the integration's rate limiter: `by_hand` in spite of an open circuit breaker, to
    find out whether it may close; `in_background` with no more than a share of quotas and slots, so that people's calls
    find theirs free.
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
        admission=RateLimiter(
            integration.pk,
            on_keys_refused=partial(note_keys, integration),
            by_hand=by_hand,
            in_background=in_background,
        ),
        backoff=Backoff(settings.RETRY_BASE_SECONDS, settings.RETRY_CAP_SECONDS),
    )


@transaction.atomic
def store_secret(integration: Integration, name: str, secret: Secret) -> None:
    """Encrypt a key of an integration in place of the one it had."""
    row, _ = IntegrationSecret.objects.select_for_update().get_or_create(
        integration=integration, name=name, defaults={"encrypted": b"", "version": 0}
    )
    row.version += 1
    row.encrypted = encrypt(secret, table=TABLE, row=row.pk, field=name, version=row.version)
    row.fingerprint = fingerprint(secret)
    row.changed_at = timezone.now()
    row.save()


def test_connection(integration: Integration, *, actor: User) -> Integration:
    """Ask the provider whether address and keys are good, and keep its answer with the integration.

    Raises `NotSent` when we held the call back ourselves, and `Busy` when the provider lets us wait: neither tells
    anything about the keys.
    """
    try:
        report = client_for(integration, by_hand=True).test_connection()
    except ProviderError as error:
        if error.failure.reason in DENIED:
            _record_test(integration, actor=actor, outcome=Outcome.NOT_SENT)
            raise
        if isinstance(error, Busy):
            _record_test(integration, actor=actor, outcome=Outcome.REJECTED)
            raise
        return _note_test(integration, actor=actor, error=error)
    return _note_test(integration, actor=actor, detail=f"{report.detail} ({report.duration_ms} ms)")


def note_keys(integration: Integration, error: ProviderError) -> None:
    """Note what an answer said about the integration's keys: one warning here, and no link is at fault."""
    if isinstance(error, KeysRefused):
        kept, retry_at = Integration.objects.filter(pk=integration.pk), _retry_at(error)
        if retry_at is not None:  # which makes nothing shorter that only a person can end
            kept = kept.exclude(key_state=Integration.KeyState.REFUSED, keys_retry_at=None)
        kept.update(
            key_state=Integration.KeyState.REFUSED,
            keys_refused_at=Coalesce("keys_refused_at", timezone.now()),
            keys_retry_at=retry_at,
            test_detail=error.failure.words[:500],
            tested_at=timezone.now(),
        )
    elif isinstance(error, Rejected | CodeRequired) and not isinstance(error, Blocked):
        # Otherwise no answer of the provider's came, and silence says nothing about keys.
        note_good_keys(integration)


def note_good_keys(integration: Integration) -> None:
    """Take back the warning about an integration's keys: a call was answered with them.

    Not that they are refused for the time being: no call is let in then, so that this one began before.
    """
    good, now = Integration.KeyState.GOOD, timezone.now()
    if integration.key_state != good:
        kept = Integration.objects.filter(pk=integration.pk).exclude(key_state=good)
        kept.filter(~Q(key_state=Integration.KeyState.REFUSED) | Q(keys_retry_at__lte=now)).update(
            key_state=good, keys_refused_at=None, keys_retry_at=None, test_detail="", tested_at=now
        )


@transaction.atomic
def _note_test(
    integration: Integration, *, actor: User, detail: str = "", error: ProviderError | None = None
) -> Integration:
    states = Integration.KeyState
    integration.refresh_from_db(fields=["key_state", "keys_refused_at", "keys_retry_at"])  # the test took its time
    integration.tested_at = timezone.now()
    if error is not None:
        failure = error.failure
        detail = " · ".join(filter(None, [str(failure.status or ""), failure.code or failure.reason, failure.words]))
    if isinstance(error, KeysRefused):
        integration.key_state = states.REFUSED
        integration.keys_refused_at = integration.keys_refused_at or integration.tested_at
        integration.keys_retry_at = _retry_at(error)
    elif error is None or not integration.keys_refused:  # only a good test ends a rejection
        integration.key_state = states.GOOD if error is None else states.UNREACHABLE
        integration.keys_refused_at = integration.keys_retry_at = None
    integration.test_detail = detail[:500]
    integration.save(update_fields=["key_state", "keys_refused_at", "keys_retry_at", "tested_at", "test_detail"])
    is_good = integration.key_state == states.GOOD
    _record_test(integration, actor=actor, outcome=Outcome.DONE if is_good else Outcome.REJECTED)
    return integration


def _record_test(integration: Integration, *, actor: User, outcome: Outcome) -> None:
    log.record(
        actor=actor,
        action=Action.CONNECTION_TESTED,
        object_type=ObjectType.INTEGRATION,
        object_id=str(integration.pk),
        outcome=outcome,
        details={"keys": integration.key_state},
    )


def _retry_at(error: KeysRefused) -> datetime | None:
    """Return when refused keys may be tried again without a person, if ever."""
    pause = error.failure.retry_after
    return timezone.now() + timedelta(seconds=pause) if pause else None


def _opened(integration: Integration) -> dict[str, Secret]:
    try:
        return {row.name: _open(row) for row in integration.secrets.all()}
    except DecryptionError as broken:
        failure = Failure(f"{integration.provider}.connect", words=str(broken), reason="not_decryptable")
    raise KeysRefused(failure)


def _open(row: IntegrationSecret) -> Secret:
    return decrypt(row.encrypted, table=TABLE, row=row.pk, field=row.name, version=row.version)
