"""The workers' part of proving the audit log."""

from celery import shared_task
from django.utils import timezone

from . import checks, clock, heads


@shared_task(name="audit.verify")
def verify() -> None:
    checks.run()


@shared_task(name="audit.sign_waiting")
def sign_waiting() -> None:
    heads.sign_waiting()


@shared_task(name="audit.watch_clock")
def watch_clock() -> None:
    clock.watch(now=timezone.now())
