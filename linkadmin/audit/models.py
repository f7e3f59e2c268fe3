"""The chain of audit events and its head."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .chain import GENESIS


class Outcome(models.TextChoices):
    REQUESTED = "requested", _("Requested")  # written before the attempt
    DONE = "done", _("Done")
    DENIED = "denied", _("Denied")  # by role
    REJECTED = "rejected", _("Rejected")  # by the bank or provider
    NOT_SENT = "not_sent", _("Not sent")
    NEEDS_CODE = "needs_code", _("Code needed")
    EXPIRED = "expired", _("Expired")
    CANCELED = "canceled", _("Canceled")
    UNKNOWN = "unknown", _("Unknown")
    NEEDS_DECISION = "needs_decision", _("Needs a decision")


UNUSUAL = ~models.Q(outcome=Outcome.DONE.value) & ~models.Q(outcome=Outcome.REQUESTED.value)  # hardly any event


class AppendOnlyError(Exception):
    """An audit event was about to be changed or deleted."""


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Rejects changes before the database triggers do."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("audit events are only ever added")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("audit events are only ever added")


class AuditEvent(models.Model):
    """One action, in IDs and words that outlive what they refer to. Written only by `audit.log.record`."""

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("time"))
    actor_id = models.CharField(_("person ID"), max_length=36, blank=True)  # empty: background work, or not signed in
    actor = models.CharField(_("person"), max_length=150, blank=True)
    actor_role = models.CharField(_("roles"), max_length=40, blank=True)
    action = models.CharField(_("action"), max_length=80)
    object_type = models.CharField(_("target type"), max_length=40, blank=True)
    object_id = models.CharField(_("target ID"), max_length=64, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome)
    operation_id = models.CharField(_("operation ID"), max_length=36, blank=True)
    request_id = models.CharField(_("request ID"), max_length=36, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    prev = models.CharField(_("previous hash"), max_length=64)
    canonical = models.TextField(_("canonical text"))
    hash = models.CharField(_("hash"), max_length=64)
    mac = models.CharField(_("MAC"), max_length=64)

    objects: ClassVar[models.Manager["AuditEvent"]] = models.Manager.from_queryset(AuditEventQuerySet)()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["actor", "seq"], name="audit_actor"),
            models.Index(fields=["action", "seq"], name="audit_action"),
            models.Index(fields=["object_id", "seq"], name="audit_object"),
            models.Index(fields=["request_id"], name="audit_request"),
            models.Index(fields=["operation_id"], name="audit_operation", condition=~models.Q(operation_id="")),
            models.Index(fields=["outcome", "seq"], name="audit_unusual", condition=UNUSUAL),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("audit events are only ever added")
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("audit events are only ever added")


class AuditHead(models.Model):
    """The end of the chain: the one row that every append locks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)
    signed_seq = models.BigIntegerField(default=0)  # of the newest signed head
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


class AuditCheck(models.Model):
    """What the last nightly verification found, and whether signed heads reach their file. One row."""

    class Verdict(models.IntegerChoices):
        """Exit status of `verify_audit`."""

        GOOD = 0, _("Verified")
        BROKEN = 1, _("Broken")
        CUT = 2, _("Truncated or rewritten")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checked_at = models.DateTimeField(null=True)
    verdict = models.PositiveSmallIntegerField(choices=Verdict, default=Verdict.GOOD)
    finding = models.TextField(blank=True)
    head_seq = models.BigIntegerField(default=0)  # of the newest head in the file
    head_problem = models.CharField(max_length=200, blank=True)  # why the newest head isn't there
    head_problem_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_check")]

    def __str__(self) -> str:
        return f"{self.checked_at} {self.get_verdict_display()}"


class ClockMark(models.Model):
    """The latest time a worker saw, and the last clock jump. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seen_at = models.DateTimeField()
    jumped_at = models.DateTimeField(null=True)
    jumped_by = models.FloatField(default=0.0)  # seconds; negative: back

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_clock_mark")]

    def __str__(self) -> str:
        return f"{self.seen_at}"
