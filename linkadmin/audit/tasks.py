"""The workers' part of proving the audit log."""

from celery import shared_task

from . import checks, heads


@shared_task(name="audit.verify")
def verify() -> None:
    checks.run()


@shared_task(name="audit.sign_waiting")
def sign_waiting() -> None:
    heads.sign_waiting()
