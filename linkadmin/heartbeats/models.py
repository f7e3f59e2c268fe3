"""The rows that beat and the workers write."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProgramKind(models.TextChoices):
    """The programs that run in the background."""

    BEAT = "beat", _("Scheduler")
    WORKER = "worker", _("Worker")


class Heartbeat(models.Model):
    """One program: when it was last alive, and for a worker when it last got on with a task."""

    kind = models.CharField(max_length=10, choices=ProgramKind)
    name = models.CharField(max_length=200)  # celery@host; a restart goes on with the same row
    pid = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField()
    alive_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
