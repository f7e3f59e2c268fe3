"""The rows that all processes keep together about the calls to an integration."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from .integrations import Integration


class Traffic(models.Model):
    """How the calls to one integration go: the breaker that pauses them.

    One row per integration, locked for a moment at the beginning and the end of each call, so that all processes
    together keep to what is here.
    """

    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, primary_key=True, related_name="traffic")
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    recent = models.CharField(max_length=20, blank=True)  # the last calls, the newest last: "." good, "x" failed
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=80, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)  # after a pause one call at a time finds out

    def __str__(self) -> str:
        return str(self.integration_id)


class CallPlace(models.Model):
    """One call to an integration that is under way; over when deleted, or when its lease is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="places")
    call = models.CharField(max_length=60)
    person = models.ForeignKey(  # for whom the call is made; None: for nobody in particular
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["integration", "lease_until"], name="call_places")]

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
    told = models.BooleanField(default=False)  # the provider's own words in its answers, not what its documents say
    guesses = models.PositiveSmallIntegerField(default=0)  # waits in a row that no answer told the length of

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "scope"], name="one_quota_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope or '*'}: {self.used}/{self.calls}"
