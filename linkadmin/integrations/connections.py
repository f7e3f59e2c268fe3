"""Creates provider clients. The rate limiter admits each call; only the client has the keys."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.models import Outcome
from linkadmin.providers.base import Provider
from linkadmin.providers.errors import Busy, KeysRejected, ProviderError
from linkadmin.providers.http.retries import Backoff
from linkadmin.providers.types import Deadlines

from . import keys
from .denials import DENIED
from .models import Integration
from .rate_limiter import RateLimiter


def client_for(integration: Integration, *, by_hand: bool = False, in_background: bool = False) -> Provider:
    """`by_hand`: also with an open circuit breaker, as a test of whether it may close.

    `in_background`: only uses a share of rate limits and slots, and leaves the rest to people.
    Raises `KeysRejected` if a key is missing or can't be decrypted.
    """
    try:
        return integration.provider_class(
            base_url=integration.base_url,
            options=integration.options,
            secrets=keys.secrets_of(integration),
            deadlines=Deadlines(
                read=settings.PROVIDER_READ_SECONDS,
                change=settings.PROVIDER_CHANGE_SECONDS,
                credentials=settings.PROVIDER_CREDENTIALS_SECONDS,
            ),
            allow_loopback=settings.ALLOW_LOOPBACK_PROVIDERS,
            admission=RateLimiter(integration.pk, by_hand=by_hand, in_background=in_background),
            backoff=Backoff(settings.RETRY_BASE_SECONDS, settings.RETRY_CAP_SECONDS),
        )
    except KeysRejected as error:
        keys.note_result(integration, error)
        raise


def test_connection(integration: Integration, *, actor: User) -> Integration:
    """Test the integration's base URL and keys, and store the result.

    Raises `NotSent` if we denied the call ourselves, and `Busy` if the provider rate-limits us: neither says anything
    about the keys.
    """
    try:
        report = client_for(integration, by_hand=True).test_connection()
    except ProviderError as error:
        is_denied = error.failure.reason in DENIED
        if is_denied or isinstance(error, Busy):
            _record_test(integration, actor=actor, outcome=Outcome.NOT_SENT if is_denied else Outcome.REJECTED)
            raise
        return _note_test(integration, actor=actor, error=error)
    return _note_test(integration, actor=actor, detail=f"{report.detail} ({report.duration_ms} ms)")


@transaction.atomic
def _note_test(
    integration: Integration, *, actor: User, detail: str = "", error: ProviderError | None = None
) -> Integration:
    states = Integration.KeyState
    integration.refresh_from_db(fields=["key_state", "keys_rejected_at", "keys_retry_at"])  # may have changed meanwhile
    integration.tested_at = timezone.now()
    if error is not None:
        failure = error.failure
        detail = " · ".join(filter(None, [str(failure.status or ""), failure.code or failure.reason, failure.words]))
    if isinstance(error, KeysRejected):
        integration.key_state = states.REJECTED
        integration.keys_rejected_at = integration.keys_rejected_at or integration.tested_at
        integration.keys_retry_at = keys.retry_at(error)
    elif error is None or not integration.keys_rejected:  # only a successful test ends a rejection
        integration.key_state = states.VALID if error is None else states.UNREACHABLE
        integration.keys_rejected_at = integration.keys_retry_at = None
    integration.test_detail = detail[:500]
    integration.save(update_fields=["key_state", "keys_rejected_at", "keys_retry_at", "tested_at", "test_detail"])
    is_good = integration.key_state == states.VALID
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
