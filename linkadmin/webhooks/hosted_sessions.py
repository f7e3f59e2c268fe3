"""Finds visits to a provider's page by what its webhooks say, and has their results read."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from linkadmin.links.models import SESSIONS_TASK, HostedSession, Link
from linkadmin.providers.types import Secret
from linkadmin.wake_worker import wake_worker


def digest_of(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()


@transaction.atomic
def note_ended(digests: Collection[str], *, at: datetime) -> dict[str, Link]:
    """Return the links of those visits that are ours, by digest of the token."""
    ours = HostedSession.objects.filter(digest__in=set(digests) - {""}).select_related("request__link")
    found = {session.digest: session.request.link for session in ours.order_by("pk")}
    if found:
        HostedSession.objects.filter(digest__in=found).update(due_at=at)
        transaction.on_commit(lambda: wake_worker(SESSIONS_TASK))
    return found
