"""The rows that keep all processes together to the limits of an integration."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from .integrations import Integration


class CircuitBreaker(models.Model):
    """Whether calls to an integration fail. Locked for a moment at the beginning and the end of each call."""

    integration = models.OneToOneField(
        Integration, on_delete=models.CASCADE, primary_key=True, related_name="circuit_breaker"
    )
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    recent = models.CharField(max_length=20, blank=True)  # the last calls, the newest last: "." good, "x" failed
    open_until = models.DateTimeField(null=True, blank=True)
    open_reason = models.CharField(max_length=80, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)  # then one call at a time finds out

    def __str__(self) -> str:
        return str(self.integration_id)


class CallSlot(models.Model):
    """A call to an integration in flight, or about to be made; free when deleted, or when its lease ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="slots")
    call = models.CharField(max_length=60)
    person = models.ForeignKey(  # for whom the call is made; None: for nobody in particular
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["integration", "lease_until"], name="call_slots")]

    def __str__(self) -> str:
        return self.call


class CallQuota(models.Model):
    """How many calls of one kind were made within a window, and how many may be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="quotas")
    scope = models.CharField(max_length=60, blank=True)  # the call; empty: all calls together
    calls = models.PositiveIntegerField()  # how many a window allows
    used = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()
    reported = models.BooleanField(default=False)  # in the provider's answers, and not what its documents say
    guesses = models.PositiveSmallIntegerField(default=0)  # waits in a row whose length no answer reported

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "scope"], name="one_quota_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope or '*'}: {self.used}/{self.calls}"
