"""Cleanup by workers: expired limits, invitations, approval requests and sessions."""

from celery import shared_task
from django.utils import timezone

from . import sessions
from .models import SignInLimit
from .staff import approvals, invitations


@shared_task(name="accounts.delete_expired_limits")
def delete_expired_limits() -> None:
    SignInLimit.objects.filter(expires_at__lt=timezone.now()).delete()


@shared_task(name="accounts.delete_expired_invitations")
def delete_expired_invitations() -> None:
    invitations.delete_expired()


@shared_task(name="accounts.expire_approval_requests")
def expire_approval_requests() -> None:
    approvals.expire()


@shared_task(name="accounts.end_expired_sessions")
def end_expired_sessions() -> None:
    sessions.end_expired()
