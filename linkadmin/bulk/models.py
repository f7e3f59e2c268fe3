"""Bulk jobs: one action on many links, split into parts, with a result per link.

    DRAFT ── dropped after an hour
        │ confirmed by the person who reviewed it
    RUNNING ── DONE
        │ ↑ resumed
    PAUSED

The rows are the job: any worker can claim a part that has no lease and continue.
"""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import ENVIRONMENT
from linkadmin.accounts.roles import Right
from linkadmin.ids import url_of
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.links.staff_work import LONGEST_NOTE
from linkadmin.work_queue import WorkItem

DRAFT_LIFETIME = timedelta(hours=1)
DRAFTS_PER_PERSON = 3


class JobKind(models.TextChoices):
    CHECK_STATUS = "check_status", _("Check status")
    ASSIGN = "assign", _("Assign")
    NOTE = "note", _("Add note")


RIGHTS = {
    JobKind.CHECK_STATUS: Right.REFRESH,
    JobKind.ASSIGN: Right.ORGANIZE_LINKS,
    JobKind.NOTE: Right.ORGANIZE_LINKS,
}


class JobState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")


class ItemState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class SkipReason(models.TextChoices):
    """Our own reasons, besides the provider errors of a failed check."""

    ENDED = "ended", _("The link was removed.")
    OFF = "off", _("Its integration is inactive.")
    KEYS = "keys", _("The provider is rejecting this integration's API keys.")
    SAME_ASSIGNEE = "same_assignee", _("Already assigned to this person.")
    NOT_LISTED = "not_listed", _("The provider's list didn't include it. Another check will confirm whether it's gone.")
    BROKEN = (
        "broken",
        _("Something went wrong on our side, not at the provider. An administrator can find the details in the log."),
    )


class BulkJob(models.Model):
    """One action on many links, as one person reviewed and started it."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("type"), max_length=12, choices=JobKind.choices)
    state = models.CharField(_("status"), max_length=8, choices=JobState.choices, default=JobState.DRAFT)
    environment = models.CharField(**ENVIRONMENT)  # of all its links
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="bulk_jobs",
        db_index=False,
        verbose_name=_("started by"),
    )
    assignee = models.ForeignKey(  # of the links, if the job assigns them
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assignee"),
    )
    text = models.TextField(_("note"), max_length=LONGEST_NOTE, blank=True)  # text of the note, if the job adds one
    total = models.PositiveIntegerField(_("links"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paused by"),
    )
    # Totals, set when the job is done; until then its rows are counted.
    done = models.PositiveIntegerField(_("done"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    changed = models.PositiveIntegerField(null=True, blank=True)  # of the checked links; None: not counted
    skipped = models.PositiveIntegerField(_("skipped"), default=0)

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        indexes = [
            models.Index(fields=["actor", "environment", "-created_at", "-id"], name="bulk_job_of_actor"),
            models.Index(fields=["environment", "-created_at", "-id"], name="bulk_job_of_environment"),
            models.Index(fields=["-created_at", "-id"], name="bulk_job_by_time"),
            models.Index(fields=["actor", "environment", "-total", "-id"], name="bulk_job_of_actor_by_links"),
            models.Index(fields=["environment", "-total", "-id"], name="bulk_job_by_links"),
            models.Index(fields=["kind", "-created_at", "-id"], name="bulk_job_of_kind"),
            models.Index(fields=["state", "-created_at", "-id"], name="bulk_job_of_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.created_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return url_of("bulk-detail", self.pk)

    @property
    def right(self) -> Right:
        return RIGHTS[JobKind(self.kind)]

    @property
    def is_draft(self) -> bool:
        return self.state == JobState.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state == JobState.RUNNING

    @property
    def is_paused(self) -> bool:
        return self.state == JobState.PAUSED

    @property
    def asks_provider(self) -> bool:
        return self.kind == JobKind.CHECK_STATUS

    def counts(self) -> dict[str, int]:
        """Costs a query unless the job is done."""
        if self.state == JobState.DONE:
            return {"waiting": 0, "done": self.done, "failed": self.failed, "skipped": self.skipped}
        counted = dict(self.items.order_by().values_list("state").annotate(n=Count("pk")))
        return {state: counted.get(state, 0) for state in ItemState.values}

    def count_changed(self) -> int | None:
        if self.state == JobState.DONE or not self.asks_provider:
            return self.changed
        checked = self.items.filter(state=ItemState.DONE)
        return checked.exclude(after="").exclude(after=F("before")).count()


class BulkPart(WorkItem):
    """Links of a job that are processed together: by one request to a provider, or in one transaction."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="parts", db_index=False)
    integration = models.ForeignKey(  # None: no request is sent
        Integration, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    links = models.PositiveIntegerField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["job", "id"], condition=Q(done_at__isnull=True), name="bulk_parts_open"),
            models.Index(fields=["job", "done_at"], name="bulk_parts_done"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BulkItem(models.Model):
    """The result of a job for one link. While the job is paused, waiting items count as paused."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(
        BulkJob, on_delete=models.CASCADE, related_name="items", db_index=False, verbose_name=_("bulk job")
    )
    part = models.ForeignKey(BulkPart, on_delete=models.CASCADE, null=True, related_name="items")  # None: skipped
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="bulk_items")
    state = models.CharField(_("status"), max_length=8, choices=ItemState.choices, default=ItemState.WAITING)
    why = models.CharField(_("reason"), max_length=80, blank=True)  # a `SkipReason`, or a value of `Link.check_failed`
    before = models.CharField(max_length=20, blank=True)  # status before the check, and after it
    after = models.CharField(max_length=20, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("link in a bulk job")
        verbose_name_plural = _("links in bulk jobs")
        constraints = [models.UniqueConstraint(fields=["job", "link"], name="one_item_per_link_and_job")]
        indexes = [
            models.Index(fields=["job", "id"], name="bulk_items_in_order"),
            models.Index(fields=["job", "state", "id"], name="bulk_items_of_job"),
        ]

    def __str__(self) -> str:
        return f"{self.link_id}: {self.state}"
