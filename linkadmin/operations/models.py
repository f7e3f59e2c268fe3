"""Changes at a provider. Each is a row, written before the first byte leaves and closed after the response.

`states.py` has the moves between states. None leads back to PREPARED, so no operation is sent twice.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Institution, Link
from linkadmin.providers.types import ChallengeKind, LinkRef

from .challenges import AskedAgain


class OperationKind(models.TextChoices):
    CREATE_LINK = "create_link", _("Create link")
    UPDATE_CREDENTIALS = "update_credentials", _("Update credentials")
    SUBMIT_CODE = "submit_code", _("Submit code")
    REFRESH_DATA = "refresh_data", _("Refresh data")
    CHANGE_SETTINGS = "change_settings", _("Change settings")
    REMOVE_LINK = "remove_link", _("Delete link")
    REPLACE_TOKEN = "replace_token", _("Replace access token")
    REGENERATE_REPORTS = "regenerate_reports", _("Regenerate reports")
    CREATE_END_USER = "create_end_user", _("Add customer")
    RENAME_END_USER = "rename_end_user", _("Change customer name")
    SWITCH_DATA_SOURCE = "switch_data_source", _("Include or exclude data source")
    ADD_WEBHOOK = "add_webhook", _("Subscribe to topic")
    SWITCH_WEBHOOK = "switch_webhook", _("Pause or resume subscription")
    REMOVE_WEBHOOK = "remove_webhook", _("Unsubscribe from topic")


class OperationState(models.TextChoices):
    PREPARED = "prepared", _("Preparing")
    CANCELED = "canceled", _("Canceled")
    SENDING = "sending", _("Contacting the bank")
    NOT_SENT = "not_sent", _("Not sent")
    SUCCEEDED = "succeeded", _("Succeeded")
    REJECTED = "rejected", _("Rejected")
    NEEDS_CODE = "needs_code", _("Code needed")
    CODE_ENTERED = "code_entered", _("Code entered")
    EXPIRED = "expired", _("Code expired")
    UNKNOWN = "unknown", _("Outcome unknown")
    CONFIRMED_DONE = "confirmed_done", _("Succeeded (confirmed)")
    CONFIRMED_NOT_DONE = "confirmed_not_done", _("Didn't happen (confirmed)")
    NEEDS_DECISION = "needs_decision", _("Needs a decision")


# Kinds that make the provider sign in at the bank.
LOGIN_KINDS = (OperationKind.CREATE_LINK, OperationKind.UPDATE_CREDENTIALS, OperationKind.SUBMIT_CODE)
# Outcomes besides the names of error classes.
ACCEPTED = "accepted"  # the provider is working on it
NOT_REPAIRED = "NotRepaired"  # the provider saved the values, but the link doesn't work with them
NOT_TAKEN = "NotTaken"  # a successful response whose record shows the old state
STILL_REFUSED = "still_refused"  # the bank may have rejected an attempt
ATTEMPTS_SPENT = "attempts_spent"  # another wrong code could lock the account
TOO_MANY_STEPS = "too_many_steps"  # the bank kept asking for more

State = OperationState


def kind_choices() -> list[tuple[str, str | Promise]]:
    # A function, so that a new kind needs no migration.
    return list(OperationKind.choices)


OPEN_STATES = (State.PREPARED, State.SENDING, State.NEEDS_CODE, State.UNKNOWN, State.NEEDS_DECISION)
DONE_STATES = (State.SUCCEEDED, State.CONFIRMED_DONE)
FAILED_STATES = (State.NOT_SENT, State.REJECTED, State.EXPIRED, State.CONFIRMED_NOT_DONE)  # may be started over
RUNNING_STATES = (State.PREPARED, State.SENDING, State.UNKNOWN)  # their pages poll


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> "OperationQuerySet":
        return self.filter(state__in=OPEN_STATES)

    def with_names(self) -> "OperationQuerySet":
        return self.select_related("integration", "institution", "end_user", "actor", "link")

    def latest_of(self, link: Link) -> "Operation | None":
        return self.filter(link=link).with_names().order_by("-created_at", "-id").first()


class Operation(models.Model):
    """One change at a provider, requested by one click of one person."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("type"), max_length=20, choices=kind_choices)
    state = models.CharField(_("status"), max_length=20, choices=State.choices, default=State.PREPARED)
    version = models.PositiveIntegerField(default=1)
    # Foreign keys that other indexes begin with have none of their own.
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, related_name="operations", db_index=False, verbose_name=_("integration")
    )
    link = models.ForeignKey(
        Link, on_delete=models.PROTECT, null=True, blank=True, related_name="operations", db_index=False
    )
    # None: it concerns the whole integration.
    end_user = models.ForeignKey(
        EndUser, on_delete=models.PROTECT, null=True, blank=True, related_name="operations", db_index=False
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("institution")
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("earlier operation"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="operations",
        db_index=False,
        verbose_name=_("started by"),
    )
    operation_key = models.UUIDField()  # from the form: a form submitted twice is one operation
    fingerprint = models.CharField(max_length=64)  # of the non-secret parameters
    parameters = models.JSONField(default=dict, blank=True)  # non-secret values of the form
    # The remote ID of what it creates or changes, if known.
    natural_key = models.CharField(_("provider ID"), max_length=120, blank=True)

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)  # next check of an unknown outcome
    good_data_before = models.DateTimeField(null=True, blank=True)  # the link's last successful sync before it was sent

    http_status = models.PositiveSmallIntegerField(_("HTTP status"), default=0)
    code = models.CharField(_("provider code"), max_length=80, blank=True)
    words = models.CharField(_("provider message"), max_length=500, blank=True)
    request_id = models.CharField(_("provider request ID"), max_length=80, blank=True)
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)  # the error class, or what proved the result
    cause = models.CharField(max_length=40, blank=True)
    field_errors = models.JSONField(default=dict, blank=True)
    errors = models.JSONField(default=list, blank=True)  # all errors listed by the provider, the one with `code` first
    answer_body = models.CharField(max_length=12, blank=True)  # of an error without a message: empty, html, unreadable
    result = models.JSONField(default=dict, blank=True)  # data of a successful response, besides the link; no secrets
    retry_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration"), null=True, blank=True)
    # Rejected by the bank, which locks the account after a few.
    counts_as_attempt = models.BooleanField(_("counts as an attempt"), default=False)
    asked = models.JSONField(default=dict, blank=True)  # what the bank asked for, as fingerprints (challenges.py)
    asked_again = models.CharField(_("why the bank asked again"), max_length=20, choices=AskedAgain.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        verbose_name=_("resolved by"),
    )
    note = models.CharField(_("note"), max_length=820, blank=True)  # a reason, and the evidence of a manual decision

    objects = OperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [
            models.UniqueConstraint(fields=["actor", "operation_key"], name="one_operation_per_form"),
            models.UniqueConstraint(
                fields=["link"], condition=Q(state__in=OPEN_STATES), name="one_open_operation_per_link"
            ),
            models.UniqueConstraint(
                fields=["integration", "natural_key"],
                condition=Q(state__in=OPEN_STATES, kind="create_link") & ~Q(natural_key=""),
                name="one_open_create_per_remote_id",
            ),
            models.UniqueConstraint(
                fields=["end_user", "institution"],
                condition=Q(state__in=OPEN_STATES, kind="create_link", institution__isnull=False),
                name="one_open_create_per_customer_and_bank",
            ),
        ]
        indexes = [
            models.Index(fields=["link", "-created_at"], name="operation_of_link"),
            models.Index(fields=["end_user", "finished_at"], name="operation_of_customer"),
            models.Index(fields=["-created_at", "-id"], name="operation_by_time"),
            models.Index(fields=["kind", "-created_at", "-id"], name="operation_of_kind"),
            models.Index(fields=["actor", "-created_at", "-id"], name="operation_of_actor"),
            # Of whole integrations: the only ones that staff see who may not see customers.
            models.Index(
                fields=["-created_at", "-id"], condition=Q(end_user__isnull=True), name="operation_without_customer"
            ),
            models.Index(fields=["state", "-created_at", "-id"], name="operation_of_state"),
            models.Index(fields=["integration", "-created_at", "-id"], name="operation_of_integration"),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="operation_by_request_id"),
            models.Index(fields=["state", "lease_until"], condition=Q(state__in=OPEN_STATES), name="operation_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.state_label}"

    def get_absolute_url(self) -> str:
        # Staff who manage integrations may not see customers, and vice versa.
        return reverse("operation-detail" if self.end_user_id else "integration-operation", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING_STATES

    @property
    def is_done(self) -> bool:
        return self.state in DONE_STATES

    @property
    def began_at(self) -> datetime:
        return self.sent_at or self.created_at

    @property
    def duration(self) -> timedelta | None:
        return None if self.duration_ms is None else timedelta(milliseconds=self.duration_ms)

    @property
    def origin(self) -> "Operation":
        """The operation a person started: itself, or the one whose code it submits."""
        return self.parent.origin if self.parent else self

    @property
    def ref(self) -> LinkRef:
        if self.link:
            return self.link.ref
        return LinkRef("", self.customer_id, institution=self.institution.name if self.institution else "")

    @property
    def customer_id(self) -> str:
        return self.end_user.external_id if self.end_user else ""

    @property
    def customer_name(self) -> str:
        return self.end_user.name if self.end_user else ""

    @property
    def creates_link(self) -> bool:
        return self.origin.kind == OperationKind.CREATE_LINK

    @property
    def logs_in(self) -> bool:
        return self.kind in LOGIN_KINDS

    @property
    def has_signed_in(self) -> bool:
        return self.logs_in and self.is_done

    @property
    def gives_code(self) -> bool:
        return self.parent_id is not None

    @property
    def is_accepted(self) -> bool:
        return self.state == State.UNKNOWN and self.outcome == ACCEPTED

    @property
    def is_lost(self) -> bool:
        """Whether nobody is sending its request any more, though no worker has marked it as unknown yet."""
        return self.state == State.SENDING and self.lease_until is not None and self.lease_until < timezone.now()

    @property
    def codes_given(self) -> int:
        return 1 + self.parent.codes_given if self.parent else 0

    def audit_details(self) -> dict[str, Any]:
        """No names, no typed values."""
        said = {"kind": self.kind, "state": self.state, "status": self.http_status, "outcome": self.outcome}
        said |= {"asked_again": self.asked_again} if self.asked_again else {}
        return said | ({"links": self.result["links"]} if "links" in self.result else {})

    @property
    def state_label(self) -> str:
        return state_words(self.kind, self.state, self.outcome, is_lost=self.is_lost)


def state_words(kind: str, state: str, outcome: str, *, is_lost: bool) -> str:
    if state == State.EXPIRED and outcome == "withdrawn":
        return str(State.CANCELED.label)
    if state == State.UNKNOWN and outcome == ACCEPTED:
        return str(_("Accepted, in progress at the provider"))
    if is_lost:
        return str(State.UNKNOWN.label)
    if state == State.SENDING and kind not in LOGIN_KINDS:
        return str(_("Contacting the provider"))
    return str(State(state).label)


class PendingChallenge(models.Model):
    """A bank waiting for a one-time code. Deleted when the code is submitted, the attempt is canceled, or it expires.

    The provider's session and what the bank shows the customer (a number, an image) are encrypted (encrypted.py). The
    bank's words leave fingerprints in the operation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operation = models.OneToOneField(Operation, on_delete=models.CASCADE, related_name="challenge")
    encrypted_session = models.BinaryField()
    encrypted_shown = models.BinaryField(default=b"")
    remote_link_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in ChallengeKind])
    expects_input = models.BooleanField(default=True)
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


class AttemptAllowance(models.Model):
    """An account manager's permission for one more sign-in attempt after the bank rejected two.

    It belongs to a link, or to the rejected creation of one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, null=True, blank=True, related_name="allowances")
    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, null=True, blank=True, related_name="allowances")
    allowed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name=_("allowed by"))
    allowed_at = models.DateTimeField(_("time"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        verbose_name = _("extra attempt")
        verbose_name_plural = _("extra attempts")

    def __str__(self) -> str:
        return self.reason
