"""Stores an integration and its keys. Only the names of what changed get into the audit log."""

from collections.abc import Collection, Mapping
from functools import partial

from django.db import transaction

from linkadmin.accounts.models import User
from linkadmin.audit.log import Action, ObjectType, Outcome, record
from linkadmin.integrations.keys import store_secret
from linkadmin.integrations.models import INSTITUTIONS_TASK, Integration
from linkadmin.providers.types import Secret
from linkadmin.wake_worker import wake_worker


@transaction.atomic
def store(integration: Integration, *, keys: Mapping[str, Secret], changed: Collection[str], by: User) -> None:
    """`changed`: the fields that differ from what is stored. Different keys or another base URL are untested."""
    is_new = not Integration.objects.filter(pk=integration.pk).exists()
    if keys or "base_url" in changed:
        integration.key_state = Integration.KeyState.UNTESTED
        integration.keys_rejected_at = integration.keys_retry_at = None
        integration.test_detail = ""
    integration.save()
    for name, key in keys.items():
        store_secret(integration, name, key)
    transaction.on_commit(partial(wake_worker, INSTITUTIONS_TASK, integration.pk))
    record(
        actor=by,
        action=Action.INTEGRATION_CREATED if is_new else Action.INTEGRATION_UPDATED,
        object_type=ObjectType.INTEGRATION,
        object_id=integration.pk,
        outcome=Outcome.DONE,
        details={"fields": ", ".join(changed)[:200]},
    )
