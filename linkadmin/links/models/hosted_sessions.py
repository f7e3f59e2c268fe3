"""Visits to a provider's page whose URL or result we need later."""

import uuid

from django.db import models
from django.db.models import Q

from linkadmin.integrations.models import Integration
from linkadmin.work_queue import WorkItem

from .repair_requests import RepairRequest

SESSIONS_TASK = "repair.read_sessions"  # reads the results of visits


class HostedSession(WorkItem):
    """A visit to a provider's page. Its URL and token are encrypted, and deleted with the row. Due: read its result."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(RepairRequest, on_delete=models.CASCADE, related_name="sessions")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+", db_index=False)
    encrypted = models.BinaryField()
    digest = models.CharField(max_length=64, blank=True)  # of the token, as webhooks name it
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], condition=~Q(digest=""), name="one_session_per_token")
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="hosted_session_due")]

    def __str__(self) -> str:
        return str(self.pk)
