"""Links that webhooks name and we do not know, to be read: one row each, however often they are named."""

from django.db import models
from django.db.models import Q

from linkadmin.links.models import DueRead


class UnknownLinkRead(DueRead):
    """The reads of a link that messages name and we do not know, or of a customer's links."""

    remote_id = models.CharField(max_length=120, blank=True)
    end_user_id = models.CharField(max_length=140, blank=True)  # as the provider knows the customer

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "remote_id", "end_user_id"], name="one_read_per_unknown_link"
            )
        ]
        indexes = [
            models.Index(
                fields=["integration", "due_at"], condition=Q(due_at__isnull=False), name="unknown_link_read_due"
            )
        ]

    def __str__(self) -> str:
        return self.remote_id or self.end_user_id
