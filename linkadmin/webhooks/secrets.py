"""The secrets that messages prove themselves with: at most two live ones, so that one is replaced without a gap."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from linkadmin.accounts.models import User
from linkadmin.audit import log
from linkadmin.audit.actions import Action, ObjectType
from linkadmin.audit.models import Outcome
from linkadmin.integrations.encryption import encrypt, fingerprint
from linkadmin.integrations.models import Integration
from linkadmin.providers.types import Secret

from . import endpoints
from .models import ENCRYPTED_FOR, LIVE_SECRETS, WebhookSecret


class TooManySecrets(Exception):
    """There are two live secrets already: one has to be retired first."""


class StaleForm(Exception):
    """Another secret was added since the form was shown."""


@transaction.atomic
def add(integration: Integration, secret: Secret, *, by: User | None, after: int) -> WebhookSecret:
    """Encrypt one more secret of an integration, the next one after version `after`.

    Raises StaleForm if that was not the latest one, and TooManySecrets.
    """
    Integration.objects.select_for_update().get(pk=integration.pk)
    kept = WebhookSecret.objects.filter(integration=integration)
    if latest_version(integration) != after:
        raise StaleForm
    if kept.filter(revoked_at=None).count() >= LIVE_SECRETS:
        raise TooManySecrets
    row = WebhookSecret(integration=integration, version=after + 1, created_by=by, fingerprint=fingerprint(secret))
    row.encrypted = encrypt(secret, row=row.pk, version=row.version, **ENCRYPTED_FOR)
    row.save(force_insert=True)
    _record(row, Action.WEBHOOK_SECRET_ADDED, by=by)
    return row


@transaction.atomic
def revoke(row: WebhookSecret, *, by: User) -> bool:
    """Let a secret prove nothing any more, and drop its value; tell whether it was live."""
    live = WebhookSecret.objects.filter(pk=row.pk, revoked_at=None)
    if not live.update(revoked_at=timezone.now(), encrypted=b""):
        return False
    _record(row, Action.WEBHOOK_SECRET_REVOKED, by=by)
    return True


def latest_version(integration: Integration) -> int:
    """Return the version of the secret that was added last; 0 before the first."""
    found = WebhookSecret.objects.filter(integration=integration).aggregate(latest=Max("version"))
    return found["latest"] or 0


def _record(row: WebhookSecret, action: Action, *, by: User | None) -> None:
    transaction.on_commit(endpoints.forget)
    log.record(
        actor=by,
        action=action,
        object_type=ObjectType.INTEGRATION,
        object_id=row.integration_id,
        outcome=Outcome.DONE,
        details={"fingerprint": row.fingerprint},
    )
