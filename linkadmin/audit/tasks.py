"""Tasks that verify the audit log, sign its head and check the server's clock."""

from celery import shared_task
from django.utils import timezone

from . import checks, clock, heads


@shared_task(name="audit.verify")
def verify() -> None:
    checks.run()


@shared_task(name="audit.sign_head")
def sign_head() -> None:
    heads.sign_waiting()


@shared_task(name="audit.check_clock")
def check_clock() -> None:
    clock.watch(now=timezone.now())
