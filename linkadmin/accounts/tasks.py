"""The workers' part of keeping the limits small."""

from celery import shared_task
from django.utils import timezone

from . import limits


@shared_task(name="accounts.forget_tries")
def forget_tries() -> None:
    limits.forget(before=timezone.now())
