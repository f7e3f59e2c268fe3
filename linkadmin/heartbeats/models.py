"""Heartbeats of the scheduler and workers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProgramKind(models.TextChoices):
    BEAT = "beat", _("Scheduler")
    WORKER = "worker", _("Worker")


class Heartbeat(models.Model):
    """One process: when it last beat, and for a worker when it last made progress on a task."""

    kind = models.CharField(max_length=10, choices=ProgramKind)
    name = models.CharField(max_length=200)  # celery@host; reused after a restart
    pid = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField()
    alive_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
