"""Tasks that delete old deliveries."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from linkadmin.heartbeats import signs

from . import deliveries, refusals

BATCH = 2_000


@shared_task(name="webhooks.delete_old")
def delete_old() -> None:
    """Drop messages and counts that are older than they are kept."""
    before = timezone.now() - timedelta(days=settings.DELIVERIES_KEPT_DAYS)
    while deliveries.forget(before=before, limit=BATCH) == BATCH:
        signs.note_progress()
    refusals.forget(before=before)
