"""What to read next, one row each: however often it's requested, there is one read."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.models import Integration
from linkadmin.work_queue import WorkItem

from .links import Link

READ_EVERY = timedelta(seconds=10)  # no link is read more often, for any reason


class Reason(models.TextChoices):
    """Why a link is read, most urgent first."""

    WEBHOOK = "webhook", _("webhook")
    REPAIR = "repair", _("repair verification")
    MISSING = "missing", _("not in the provider's list")
    CHANGED = "changed", _("changed in the provider's list")
    AGE = "age", _("data going stale")

    @property
    def urgency(self) -> int:
        return list(Reason).index(self)


class DueRead(WorkItem):
    """When something is read next and was last read. Rows stay between reads, so that none comes too soon.

    A row is due only while somebody wants it.
    """

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+", db_index=False)
    wanted_at = models.DateTimeField(null=True, blank=True)  # reads that started earlier are too old
    wanted_since = models.DateTimeField(null=True, blank=True)  # when it was first requested
    read_at = models.DateTimeField(null=True, blank=True)  # when the last read ended, even without a result
    answered_at = models.DateTimeField(null=True, blank=True)  # when the last successful read started

    class Meta:
        abstract = True

    def want(self, at: datetime, *, is_news: bool = True) -> bool:
        """Request a read that starts after `at`. Returns whether anything changed.

        After a failure, only news causes an immediate read.
        """
        if self.answered_at is not None and self.answered_at >= at:
            return False
        before = self.due_at, self.wanted_at
        soonest = self._no_sooner_than(at)
        if self.due_at is None:
            self.due_at, self.wanted_since = soonest, at
        elif is_news:
            self.due_at = min(self.due_at, soonest)
        # A read in progress may have started earlier; the next one won't have.
        if self.claim_token is not None or self.wanted_at is None or at > timezone.now():
            self.wanted_at = max(at, self.wanted_at or at)
        return (self.due_at, self.wanted_at) != before

    def answer(self, began_at: datetime, *, now: datetime) -> None:
        """Record a successful read. Requests made since its start wait for another one."""
        self.answered_at, self.read_at, self.attempts = began_at, now, 0
        is_wanted = self.wanted_at is not None and self.wanted_at > began_at
        self.due_at = now + READ_EVERY if is_wanted else None
        self.wanted_since = self.wanted_at if is_wanted else None

    def look_twice(self, *, now: datetime) -> None:
        """Record a read that didn't find it. A second one decides whether it's gone."""
        self.read_at, self.due_at, self.attempts = now, now + READ_EVERY, 0

    def drop(self) -> None:
        self.due_at = self.wanted_since = None

    def _no_sooner_than(self, at: datetime) -> datetime:
        return max(at, self.read_at + READ_EVERY) if self.read_at else at


class LinkRead(DueRead):
    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="next_read")
    reason = models.CharField(max_length=8, choices=Reason.choices, default=Reason.AGE)
    urgency = models.PositiveSmallIntegerField(default=Reason.AGE.urgency)
    found_change = models.BooleanField(default=False)  # whether the last response differed from the one before

    class Meta:
        indexes = [
            models.Index(
                fields=["integration", "urgency", "due_at"], condition=Q(due_at__isnull=False), name="link_read_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.link_id}: {self.reason}"

    def want_for(self, reason: Reason, at: datetime) -> bool:
        was_due = self.due_at is not None
        changed = self.want(at, is_news=reason is Reason.WEBHOOK)
        if self.due_at is None or (was_due and reason.urgency >= self.urgency):
            return changed
        self.reason, self.urgency = reason, reason.urgency
        return True
