"""Task that deletes old deliveries."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from linkadmin.heartbeats import signs

from .models import RefusalCount, WebhookDelivery, first_id

BATCH = 2_000


@shared_task(name="webhooks.delete_old")
def delete_old() -> None:
    before = timezone.now() - timedelta(days=settings.DELIVERIES_KEPT_DAYS)
    old = WebhookDelivery.objects.filter(pk__lt=first_id(before)).order_by("pk").values_list("pk", flat=True)
    while ids := list(old[:BATCH]):
        WebhookDelivery.objects.filter(pk__in=ids).delete()
        signs.note_progress()
    RefusalCount.objects.filter(minute__lt=before).delete()
