"""Celery tasks: end what is over."""

from celery import shared_task
from django.utils import timezone

from . import requests


@shared_task(name="repair.end_over")
def end_over() -> None:
    requests.end_over(now=timezone.now())
