"""Background programs, running or dead, judging by their heartbeats."""

from datetime import timedelta

from django.utils import timezone

from linkadmin.heartbeats import signs, watch
from linkadmin.heartbeats.models import Heartbeat, ProgramKind


def run() -> None:
    signs.alive(ProgramKind.BEAT, "beat@here", has_started=True)
    signs.alive(ProgramKind.WORKER, "celery@here", has_started=True, has_worked=True)


def kill(*kinds: str) -> None:
    """Make programs silent for so long that they count as dead."""
    silent = timezone.now() - watch.DEAD_AFTER - timedelta(seconds=5)
    Heartbeat.objects.filter(kind__in=kinds or ProgramKind.values).update(alive_at=silent, worked_at=silent)
