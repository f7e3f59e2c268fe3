"""Celery tasks: end what is over, and read the results of visits to a provider's page."""

from celery import shared_task
from django.utils import timezone

from linkadmin.links.models import SESSIONS_TASK

from . import requests, sessions


@shared_task(name="repair.end_over")
def end_over() -> None:
    requests.end_over(now=timezone.now())
    sessions.delete_over(now=timezone.now())


@shared_task(name=SESSIONS_TASK)
def read_sessions() -> None:
    sessions.read_due()
