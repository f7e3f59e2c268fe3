"""What happened to a link: notes, and changes of its assignee, institution and state."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.links.causes import VERDICTS, Verdict
from linkadmin.providers.types import Cause

from .institutions import Institution
from .links import Link, cause_choices, health_choices


class NoteText(models.Model):
    """Text of a bulk note: stored once for all links, under the job's ID."""

    id = models.UUIDField(primary_key=True)
    text = models.TextField(_("note"), max_length=2000)

    def __str__(self) -> str:
        return self.text[:80]


class Note(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    at = models.DateTimeField(_("time"), default=timezone.now)
    text = models.TextField(_("note"), max_length=2000, blank=True)  # empty for a bulk note
    shared = models.ForeignKey(NoteText, on_delete=models.PROTECT, null=True, blank=True, related_name="notes")
    job_id = models.UUIDField(null=True, blank=True)  # of the bulk job it belongs to

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["link", "-at"], name="note_of_link")]

    def __str__(self) -> str:
        return self.words[:80]

    @property
    def words(self) -> str:
        return self.shared.text if self.shared else self.text


class AssigneeChange(models.Model):
    """A change of assignee: from whom, to whom, and by whom."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="assignee_changes", db_index=False)
    at = models.DateTimeField(_("time"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    old = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    new = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    job_id = models.UUIDField(null=True, blank=True)  # of the bulk job it belongs to

    class Meta:
        verbose_name = _("assignee change")
        verbose_name_plural = _("assignee changes")
        indexes = [models.Index(fields=["link", "-at"], name="assignee_change_of_link")]

    def __str__(self) -> str:
        return f"{self.old or '-'} → {self.new or '-'}"


class InstitutionChange(models.Model):
    """A link's move to another institution in its provider's records, for example after a merger."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="institution_changes", db_index=False)
    at = models.DateTimeField(_("time"))
    old = models.ForeignKey(Institution, on_delete=models.CASCADE, null=True, related_name="+")
    new = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("institution change")
        verbose_name_plural = _("institution changes")
        indexes = [models.Index(fields=["link", "-at"], name="institution_change_of_link")]

    def __str__(self) -> str:
        return f"{self.old or '-'} → {self.new}"


class HealthChange(models.Model):
    """A change of a link's state: before, after, and its source."""

    class Source(models.TextChoices):
        CALL = "call", _("API response")
        WEBHOOK = "webhook", _("webhook")
        LIST = "list", _("status check")
        CLOCK = "clock", _("timeout")

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(
        Link, on_delete=models.CASCADE, related_name="changes", db_index=False, verbose_name=_("link")
    )
    at = models.DateTimeField(_("time"))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    old = models.CharField(_("previous status"), max_length=20, choices=health_choices, blank=True)
    new = models.CharField(_("new status"), max_length=20, choices=health_choices)
    cause = models.CharField(_("cause"), max_length=40, choices=cause_choices)
    raw_status = models.CharField(_("provider status"), max_length=60, blank=True)
    raw_code = models.CharField(_("provider code"), max_length=80, blank=True)
    raw_words = models.CharField(_("provider message"), max_length=500, blank=True)
    operation_id = models.UUIDField(_("operation ID"), null=True, blank=True)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [
            models.Index(fields=["link", "-at"], name="health_change_of_link"),
            models.Index(fields=["new", "id"], name="health_change_to"),
            models.Index(
                fields=["operation_id"],
                condition=Q(operation_id__isnull=False),
                name="health_change_of_operation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[Cause(self.cause)]
