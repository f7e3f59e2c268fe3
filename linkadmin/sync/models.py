"""Full checks and their batches, skipped records, and reads of unknown links."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.ids import url_of
from linkadmin.integrations.models import Integration
from linkadmin.links.models import DueRead
from linkadmin.providers.reading import Why
from linkadmin.providers.records import LeftOut
from linkadmin.providers.types import LinkRef
from linkadmin.work_queue import WorkItem

MAX_NAMED = 200  # per read
REASONS = {
    Why.NO_OBJECT: _("The record isn't an object."),
    Why.NO_ID: _("The record has no ID."),
    Why.ID_UNUSABLE: _("Its ID is too long or contains characters we can't store."),
    Why.INCOMPLETE: _("A required value is missing."),
    Why.UNREAD: _("Its links couldn't be read, so they keep their current status."),
}


class FullCheckState(models.TextChoices):
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")


class FullCheck(WorkItem):
    """One read of all links of an integration, with its progress and results.

    Started once, continued by whichever worker claims it. No request is made before `due_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="full_checks", db_index=False)
    state = models.CharField(_("status"), max_length=8, choices=FullCheckState.choices, default=FullCheckState.RUNNING)
    started_by = models.ForeignKey(  # None: the schedule
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    listed_at = models.DateTimeField(null=True, blank=True)  # the list was read to its end
    seen = models.PositiveIntegerField(_("links checked"), default=0)
    written = models.PositiveIntegerField(_("links changed"), default=0)
    changed = models.PositiveIntegerField(_("links that changed status"), default=0)
    found = models.PositiveIntegerField(_("new links"), default=0)
    missing = models.PositiveIntegerField(_("links not listed"), default=0)
    skipped = models.PositiveIntegerField(_("customers skipped"), default=0)  # with IDs we can't store
    unread = models.PositiveIntegerField(_("customers not read"), default=0)  # after all retries
    note = models.CharField(_("note"), max_length=300, blank=True)  # why it failed, or waits

    class Meta:
        verbose_name = _("full check")
        verbose_name_plural = _("full checks")
        constraints = [
            models.UniqueConstraint(
                fields=["integration"], condition=Q(state="running"), name="one_running_full_check_per_integration"
            )
        ]
        indexes = [models.Index(fields=["integration", "-started_at", "-id"], name="full_check_of_integration")]

    def __str__(self) -> str:
        return f"{self.integration}, {self.started_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return url_of("full-check-detail", self.pk)

    @property
    def is_running(self) -> bool:
        return self.state == FullCheckState.RUNNING


class FullCheckBatch(WorkItem):
    """One request of a full check: a page of the list, or one customer's links."""

    class BatchKind(models.TextChoices):  # processed in reverse alphabetical order: pages first
        PAGE = "page", _("Page")
        END = "end", _("First or last page, reread")
        CUSTOMER = "customer", _("Customer")

    id = models.BigAutoField(primary_key=True)
    full_check = models.ForeignKey(FullCheck, on_delete=models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=8, choices=BatchKind.choices)
    key = models.CharField(max_length=140)  # the number of the page, or the customer's id
    fingerprint = models.BigIntegerField(null=True, blank=True)  # of the customer's entry in the list
    urgency = models.PositiveSmallIntegerField(default=0)  # of the customer's most urgent link, as in the work list
    done_at = models.DateTimeField(null=True, blank=True)
    gave_up = models.BooleanField(default=False)  # it can't be read: its contents are unknown
    requested_at = models.DateTimeField(null=True, blank=True)  # when the request was sent that returned `ids`
    total = models.PositiveIntegerField(null=True, blank=True)  # of the whole list, per this response
    ids = models.BinaryField(default=bytes, blank=True)  # eight-byte hashes of the IDs in it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["full_check", "kind", "key"], name="one_batch_per_call")]
        # In processing order.
        indexes = [
            models.Index(
                fields=["full_check", "-kind", "urgency", "id"],
                condition=Q(done_at__isnull=True),
                name="full_check_undone",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def is_customer(self) -> bool:
        return self.kind == self.BatchKind.CUSTOMER


class CustomerFingerprint(models.Model):
    """A customer's entry in the provider's list when their links were last read, as a fingerprint."""

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+")
    end_user_id = models.CharField(max_length=140)  # ours, as the provider knows it
    fingerprint = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["integration", "end_user_id"], name="one_fingerprint_per_customer")
        ]

    def __str__(self) -> str:
        return self.end_user_id


class SkippedRecord(models.Model):
    """A record in a provider's list that we couldn't use, and why."""

    class Kind(models.TextChoices):
        INSTITUTION = "institution", _("Institution")
        CUSTOMER = "customer", _("Customer")
        LINK = "link", _("Link")

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="left_out")
    full_check = models.ForeignKey(FullCheck, on_delete=models.CASCADE, null=True, blank=True, related_name="left_out")
    kind = models.CharField(_("type"), max_length=12, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=140, blank=True)  # as far as the record says
    why = models.CharField(_("reason"), max_length=12, choices=[(each.value, REASONS[each]) for each in Why])
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("skipped record")
        verbose_name_plural = _("skipped records")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(kind="institution"), name="skipped_institution"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)


class UnknownLinkRead(DueRead):
    """Due reads of a link that deliveries name but we don't know, or of a customer's links. One row for each."""

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

    @property
    def ref(self) -> LinkRef:
        return LinkRef(self.remote_id, self.end_user_id)


def note_skipped(
    integration: Integration,
    kind: SkippedRecord.Kind,
    left_out: Sequence[LeftOut],
    *,
    full_check: FullCheck | None = None,
) -> None:
    named = integration.left_out.filter(full_check=full_check).count()
    SkippedRecord.objects.bulk_create(
        SkippedRecord(
            integration=integration, full_check=full_check, kind=kind, name=each.name[:140], why=each.why.value
        )
        for each in left_out[: max(0, MAX_NAMED - named)]
    )
