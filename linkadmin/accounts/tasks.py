"""The workers' part: limits are kept small, and sessions that are over are removed."""

from celery import shared_task
from django.utils import timezone

from . import limits, sessions


@shared_task(name="accounts.delete_expired_limits")
def delete_expired_limits() -> None:
    limits.forget(before=timezone.now())


@shared_task(name="accounts.end_expired_sessions")
def end_expired_sessions() -> None:
    sessions.end_expired()
