"""What a customer was sent to repair a link, and what they did with it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.audit.models import Outcome

from .contacts import Language
from .links import Link


class RepairRequest(models.Model):
    """A request to repair a link. Its URL, stored as a digest, only lets somebody sign in at the bank."""

    class Channel(models.TextChoices):
        COPY = "copy", _("Copied by staff")
        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("SMS or WhatsApp")

    class Step(models.TextChoices):
        SENT = "sent", _("Repair request sent")
        FETCHED = "fetched", _("Fetched, maybe by a mail scanner")
        OPENED = "opened", _("Opened by the customer")
        AT_PROVIDER = "at_provider", _("Customer at the provider's page")
        RETURNED = "returned", _("Customer came back from the provider's page")
        FINISHED = "finished", _("Customer finished at the provider's page")
        LEFT = "left", _("Customer left the provider's page")
        NEW_NEEDED = "new_needed", _("Can't be repaired, the customer has to connect again")
        ENDED = "ended", _("Repair request ended")

    class End(models.TextChoices):
        COMPLETED = "completed", _("Completed")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")
        REPLACED = "replaced", _("Replaced by a new one")
        NOT_SENT = "not_sent", _("Not sent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="repair_requests", db_index=False)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("sent"), default=timezone.now)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    outcome = models.CharField(_("outcome of sending"), max_length=16, choices=Outcome.choices, default=Outcome.DONE)
    language = models.CharField(_("language"), max_length=8, choices=Language.choices)
    message = models.TextField(_("message"), max_length=2000)  # without the URL
    reason = models.CharField(_("reason for another message so soon"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(_("expires"))
    # The latest step that says where the customer is.
    step = models.CharField(_("step"), max_length=12, choices=Step.choices, default=Step.SENT)
    step_at = models.DateTimeField(_("step at"), default=timezone.now)
    fetches = models.PositiveIntegerField(_("times fetched"), default=0)
    fetched_at = models.DateTimeField(_("first fetched"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end = models.CharField(_("end"), max_length=12, choices=End.choices, blank=True)

    class Meta:
        verbose_name = _("repair request")
        verbose_name_plural = _("repair requests")
        indexes = [
            models.Index(fields=["link", "-at"], name="repair_request_of_link"),
            models.Index(fields=["expires_at"], condition=Q(ended_at__isnull=True), name="repair_request_open_until"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["link"], condition=Q(ended_at__isnull=True), name="repair_request_open")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RepairStep(models.Model):
    """What happened to a repair request, for the timeline."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(RepairRequest, on_delete=models.CASCADE, related_name="steps", db_index=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(_("time"), default=timezone.now)
    kind = models.CharField(_("step"), max_length=12, choices=RepairRequest.Step.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    end = models.CharField(_("end"), max_length=12, choices=RepairRequest.End.choices, blank=True)

    class Meta:
        verbose_name = _("step of a repair request")
        verbose_name_plural = _("steps of repair requests")
        indexes = [models.Index(fields=["link", "-at"], name="repair_step_of_link")]

    def __str__(self) -> str:
        return self.kind


class RepairVisit(models.Model):
    """A customer's browser that may work on a repair request, for half an hour. A new visit ends the one before."""

    request = models.OneToOneField(RepairRequest, on_delete=models.CASCADE, primary_key=True, related_name="visit")
    digest = models.CharField(max_length=64, unique=True)  # of the cookie
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.request_id)
