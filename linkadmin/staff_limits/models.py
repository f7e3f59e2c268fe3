"""What counts against people's limits, and who lifted them."""

import uuid

from django.conf import settings
from django.db import models

from .kinds import LimitKind


class LimitUse(models.Model):
    """What one person had of one limit. Only `counting.py` and `lifting.py` write it, under a lock."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=LimitKind)
    counted = models.BinaryField(default=b"")  # see `entries`
    used = models.PositiveIntegerField(default=0)  # when it was written
    warned_at = models.DateTimeField(null=True)
    reached_at = models.DateTimeField(null=True)
    lifted_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_use_per_person_and_limit")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"


class LimitLift(models.Model):
    """That somebody lifted another person's limit for an hour, and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=LimitKind)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=300)
    lifted_at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
