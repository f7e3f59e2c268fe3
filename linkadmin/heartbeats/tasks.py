"""Task that proves idle workers still run tasks."""

from typing import Any

from celery import shared_task

from . import signs
from .models import ProgramKind


@shared_task(name="heartbeats.work", bind=True)
def work(self: Any) -> None:
    signs.alive(ProgramKind.WORKER, self.request.hostname or "worker", has_worked=True)
