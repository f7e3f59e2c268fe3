"""What is to be read anew, one row each: however often it is asked for, it is one read."""

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
    """Why a link is read, the most urgent first."""

    WEBHOOK = "webhook", _("webhook")
    REPAIR = "repair", _("repair verification")
    MISSING = "missing", _("not in the provider's list")
    CHANGED = "changed", _("changed in the provider's list")
    AGE = "age", _("data going stale")

    @property
    def urgency(self) -> int:
        """Its place, least first."""
        return list(Reason).index(self)


class DueRead(WorkItem):
    """When something is read next, and when it was read last. Kept between reads, so that none comes too soon.

    It is due only while somebody wants it.
    """

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+", db_index=False)
    wanted_at = models.DateTimeField(null=True, blank=True)  # a read that began before this is too old
    wanted_since = models.DateTimeField(null=True, blank=True)  # by the first of those who want it
    read_at = models.DateTimeField(null=True, blank=True)  # when the last read was over, also one in vain
    answered_at = models.DateTimeField(null=True, blank=True)  # when the last one began that told how it stands

    class Meta:
        abstract = True

    def want(self, at: datetime, *, is_news: bool = True) -> bool:
        """Let it be read by a read that begins after `at`; tell whether that changed anything.

        After a failure it is read at once only if there is news of it.
        """
        if self.answered_at is not None and self.answered_at >= at:
            return False
        before = self.due_at, self.wanted_at
        soonest = self._no_sooner_than(at)
        if self.due_at is None:
            self.due_at, self.wanted_since = soonest, at
        elif is_news:
            self.due_at = min(self.due_at, soonest)
        # A read that is under way may have begun before; the next one will not.
        if self.claim_token is not None or self.wanted_at is None or at > timezone.now():
            self.wanted_at = max(at, self.wanted_at or at)
        return (self.due_at, self.wanted_at) != before

    def answer(self, began_at: datetime, *, now: datetime) -> None:
        """Take note of a read that told how it stands; who came after its beginning waits for another one."""
        self.answered_at, self.read_at, self.attempts = began_at, now, 0
        is_wanted = self.wanted_at is not None and self.wanted_at > began_at
        self.due_at = now + READ_EVERY if is_wanted else None
        self.wanted_since = self.wanted_at if is_wanted else None

    def look_twice(self, *, now: datetime) -> None:
        """Take note of a read that did not find it: a second one tells whether it is gone."""
        self.read_at, self.due_at, self.attempts = now, now + READ_EVERY, 0

    def drop(self) -> None:
        """Forget that it was wanted."""
        self.due_at = self.wanted_since = None

    def _no_sooner_than(self, at: datetime) -> datetime:
        return max(at, self.read_at + READ_EVERY) if self.read_at else at


class LinkRead(DueRead):
    """The reads of one link."""

    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="next_read")
    reason = models.CharField(max_length=8, choices=Reason.choices, default=Reason.AGE)
    urgency = models.PositiveSmallIntegerField(default=Reason.AGE.urgency)
    found_change = models.BooleanField(default=False)  # whether the last answer was another than the one before

    class Meta:
        indexes = [
            models.Index(
                fields=["integration", "urgency", "due_at"], condition=Q(due_at__isnull=False), name="link_read_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.link_id}: {self.reason}"

    def want_for(self, reason: Reason, at: datetime) -> bool:
        """Let it be read for a reason, unless a more urgent one stands; tell whether that changed anything."""
        was_due = self.due_at is not None
        changed = self.want(at, is_news=reason is Reason.WEBHOOK)
        if self.due_at is None or (was_due and reason.urgency >= self.urgency):
            return changed
        self.reason, self.urgency = reason, reason.urgency
        return True
