"""Customers, their links with health columns, how links are found, and values of providers that we don't recognize."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import ENVIRONMENT
from linkadmin.fields import CopiedField, FoldedField, NameField
from linkadmin.ids import url_of
from linkadmin.integrations.denials import why_check_failed
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import (
    ESCALATED_RANK,
    RENEWAL_RANK,
    STATES,
    VERDICTS,
    Judgment,
    RepairKind,
    Verdict,
    judge,
)
from linkadmin.paging import OldestIfNever
from linkadmin.providers.names import folded, masked
from linkadmin.providers.types import Capability, Cause, HealthState, LinkRef
from linkadmin.staff_limits import shown

from .institutions import Institution

VERIFYING = "verifying"  # besides the states: repaired, not verified yet
ESCALATE_AFTER = timedelta(hours=48)
# Conditions of partial indexes: queries that use one repeat its condition. SQLite can't tell that a list of states is
# the same as the index's, so these go by rank, which follows from the state.
TROUBLED = Q(urgency__lt=STATES[HealthState.HEALTHY].rank)
RANKED = ("urgency", "health_since", "id")  # order of the work list: most urgent first, then oldest
FILTERED = ("renew_by", "institution", "integration", "assignee", "account_manager")
AWAITS_DATA = (HealthState.HEALTHY, HealthState.STALE, HealthState.SETTING_UP, HealthState.WAITING)


# Functions, so that a new label needs no migration.
def health_choices() -> list[tuple[str, str | Promise]]:
    return [(state.value, STATES[state].label) for state in HealthState]


def cause_choices() -> list[tuple[str, str | Promise]]:
    return [(cause.value, VERDICTS[cause].reason) for cause in Cause]


class EndUser(models.Model):
    """A customer of the company: the person or firm whose banks are linked."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(_("customer ID"), max_length=140, unique=True)
    name = NameField(_("name"), max_length=128, blank=True)
    search = FoldedField(of=("name", "external_id"))
    # Only `account_managers.set_account_manager` writes it.
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="managed_customers",
        db_index=False,
        verbose_name=_("account manager"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            models.Index(fields=["name", "external_id", "id"], name="customer_by_name"),
            models.Index(fields=["account_manager", "name", "external_id"], name="customer_of_manager"),
        ]

    def __str__(self) -> str:
        return masked(self.name) or self.external_id

    def get_absolute_url(self) -> str:
        return url_of("end-user-detail", self.pk)

    def called(self, *, see_names: bool) -> str:
        """Initials, the default everywhere, for staff who may not see names. What others see counts."""
        if see_names:
            shown.note([self.pk])
        return (self.name or self.external_id) if see_names else str(self)


class LinkQuerySet(models.QuerySet["Link"]):
    def standing(self) -> "LinkQuerySet":
        """Links that block a new one."""
        return self.filter(disconnected_at=None).exclude(health=HealthState.DISCONNECTED.value)


class Link(models.Model):
    """One customer's connection to one bank. Only `health/` writes its health columns."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, related_name="links", verbose_name=_("integration"), db_index=False
    )
    end_user = models.ForeignKey(EndUser, on_delete=models.PROTECT, related_name="links", db_index=False)
    institution = models.ForeignKey(
        Institution,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("institution"),
        db_index=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_links",
        db_index=False,
    )
    # The customer's, so that lists find links by it.
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="managed_links",
        db_index=False,
    )
    environment = CopiedField(of="integration", **ENVIRONMENT)
    remote_id = models.CharField(_("provider ID"), max_length=120)
    data_source_id = models.CharField(_("data source ID"), max_length=80, blank=True)
    remote_kind = models.CharField(_("provider type"), max_length=40, blank=True)
    access_mode = models.CharField(_("sync mode"), max_length=20, blank=True)
    refresh_rate = models.CharField(_("sync interval"), max_length=8, blank=True)
    storage = models.CharField(_("stored credentials"), max_length=10, blank=True)
    stale_in = models.CharField(_("data retention"), max_length=8, blank=True)
    resources = models.JSONField(_("fetched data"), default=list, blank=True)
    remote_created_at = models.DateTimeField(_("created at provider"), null=True, blank=True)
    remote_created_by = models.CharField(_("creator at provider"), max_length=120, blank=True, db_default="")
    remote_updated_at = models.DateTimeField(_("changed at provider"), null=True, blank=True)
    remote_end_user_id = models.CharField(_("customer ID at provider"), max_length=140, blank=True, db_default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    disconnected_at = models.DateTimeField(_("disconnected"), null=True, blank=True)

    health = models.CharField(_("status"), max_length=20, choices=health_choices, default=HealthState.UNKNOWN.value)
    cause = models.CharField(_("cause"), max_length=40, choices=cause_choices, default=Cause.UNRECOGNIZED.value)
    health_since = models.DateTimeField(_("since"), default=timezone.now)
    urgency = models.PositiveSmallIntegerField(
        default=STATES[HealthState.UNKNOWN].rank
    )  # rank in the work list, lowest first
    conflict = models.BooleanField(_("conflicting provider status"), default=False)
    code_since = models.DateTimeField(null=True, blank=True)  # when the provider first reported the code
    # What the code means while the provider also says that the link works.
    code_cause = models.CharField(max_length=40, blank=True, default="", db_default="")
    raw_status = models.CharField(_("provider status"), max_length=60, blank=True)
    raw_code = models.CharField(_("provider code"), max_length=80, blank=True)
    raw_words = models.CharField(_("provider message"), max_length=500, blank=True)
    request_id = models.CharField(_("provider request ID"), max_length=80, blank=True)
    renew_by = models.DateField(_("renew by"), null=True, blank=True)
    last_good_at = models.DateTimeField(_("last successful sync"), null=True, blank=True)
    stale_at = models.DateTimeField(null=True, blank=True)  # when its last good data stops being fresh
    last_attempt_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)  # an attempt failed; only a newer success cancels it
    observed_at = models.DateTimeField(null=True, blank=True)  # when what we know was true
    observed_from = models.CharField(max_length=8, blank=True, db_default="")  # and its source
    fingerprint = models.BigIntegerField(null=True, blank=True)  # of the provider's record as last applied
    checked_at = models.DateTimeField(_("last checked"), null=True, blank=True)
    checking_since = models.DateTimeField(null=True, blank=True)  # a read is in progress, or died
    missing_since = models.DateTimeField(_("not listed since"), null=True, blank=True)  # from the provider's list
    check_failed = models.CharField(_("why the last check failed"), max_length=80, blank=True)
    verifying_since = models.DateTimeField(_("verifying repair since"), null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "remote_id"],
                condition=Q(disconnected_at=None),
                name="one_live_link_per_remote_id",
            )
        ]
        indexes = [
            # After their order, they have what other filters compare: reading the row takes many times as long.
            models.Index(fields=["environment", *RANKED, "renew_by"], name="link_work_list"),
            models.Index(
                *(F("environment"), F("urgency"), OldestIfNever("last_good_at")),
                *("id", "health_since", *FILTERED),
                name="link_by_last_sync",
            ),
            models.Index(
                fields=["end_user", "environment", "urgency", "health_since", *FILTERED], name="link_of_customer"
            ),
            models.Index(fields=["integration", *RANKED, "renew_by", "institution"], name="link_of_integration"),
            models.Index(
                fields=["institution", *RANKED, "renew_by", "integration", "assignee", "account_manager"],
                name="link_of_institution",
            ),
            models.Index(
                fields=["assignee", "environment", *RANKED, "renew_by", "institution", "integration"],
                condition=Q(assignee__isnull=False),
                name="link_of_assignee",
            ),
            models.Index(
                fields=[
                    *("account_manager", "environment", *RANKED),
                    *("renew_by", "institution", "integration", "assignee"),
                ],
                condition=Q(account_manager__isnull=False),
                name="link_of_account_manager",
            ),
            models.Index(
                fields=[
                    *("environment", "renew_by", *RANKED),
                    *("institution", "integration", "assignee", "account_manager", "health"),
                ],
                condition=Q(renew_by__isnull=False),
                name="link_by_consent",
            ),
            # For the beginnings of IDs as well.
            models.Index(fields=["remote_id"], opclasses=["varchar_pattern_ops"], name="link_by_remote_id"),
            models.Index(
                fields=["data_source_id"],
                opclasses=["varchar_pattern_ops"],
                condition=~Q(data_source_id=""),
                name="link_by_data_source_id",
            ),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="link_by_request_id"),
            models.Index(fields=["verifying_since"], condition=Q(verifying_since__isnull=False), name="link_verifying"),
            models.Index(fields=["missing_since"], condition=Q(missing_since__isnull=False), name="link_missing"),
            models.Index(fields=["stale_at"], condition=Q(health="healthy"), name="link_going_stale"),
            models.Index(fields=["cause", "raw_status", "raw_code"], condition=TROUBLED, name="link_unrecognized"),
        ]

    def __str__(self) -> str:
        return f"{self.end_user} · {self.institution or self.integration}"

    def get_absolute_url(self) -> str:
        return url_of("link-detail", self.pk)

    @property
    def bank(self) -> str:
        return self.institution.display_name if self.institution else ""

    @property
    def names_another_customer(self) -> bool:
        return self.remote_end_user_id not in ("", self.end_user.external_id)

    @property
    def ref(self) -> LinkRef:
        bank = self.institution
        return LinkRef(
            self.remote_id,
            self.end_user.external_id,
            bank.integration_type if bank else "",
            bank.name if bank else "",
        )

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[Cause(self.cause)]

    @property
    def repair_kind(self) -> RepairKind:
        return repair_kind_of(self.integration, self.institution)

    @property
    def judgment(self) -> Judgment:
        return judge(Cause(self.cause), is_verifying=self.is_verifying, kind=self.repair_kind)

    @property
    def why_check_failed(self) -> str:
        return why_check_failed(self.check_failed) if self.check_failed else ""

    @property
    def last_checked_at(self) -> datetime | None:
        full_check_at = self.integration.last_full_check_at
        was_listed = full_check_at is not None and self.created_at <= full_check_at and self.missing_since is None
        listed_at = full_check_at if was_listed and not self.is_disconnected else None
        return max(filter(None, [self.checked_at, listed_at]), default=None)

    @property
    def next_expected_at(self) -> datetime | None:
        """When new data is due. Later, the link counts as stale. None while somebody has to act first."""
        return self.stale_at if HealthState(self.health) in AWAITS_DATA else None

    @property
    def shown_state(self) -> str:
        return VERIFYING if self.is_verifying else self.health

    @property
    def waits_too_long(self) -> bool:
        return (
            not self.is_verifying
            and self.health == HealthState.WAITING.value
            and self.health_since <= timezone.now() - ESCALATE_AFTER
        )

    @property
    def is_verifying(self) -> bool:
        return self.verifying_since is not None

    @property
    def is_disconnected(self) -> bool:
        return self.disconnected_at is not None

    def rank(self) -> int:
        """Order in the work list. A code that expires comes first; a repair being verified needs nobody for now."""
        if self.is_verifying:
            return STATES[HealthState.SETTING_UP].rank
        if self.cause == Cause.CODE_WAITING.value:
            return 0
        if self.waits_too_long:
            return ESCALATED_RANK
        return RENEWAL_RANK if self.cause == Cause.RENEW_SOON.value else STATES[HealthState(self.health)].rank


class UnrecognizedValue(models.Model):
    """A provider's value that our tables lack: stored and counted, so that we can add it."""

    class Place(models.TextChoices):
        STATUS = "status", _("Link status")
        CODE = "code", _("Error code")
        WORDS = "words", _("Error message")

    id = models.BigAutoField(primary_key=True)
    environment = models.CharField(**ENVIRONMENT)
    provider = models.CharField(_("provider"), max_length=20)
    place = models.CharField(_("source"), max_length=8, choices=Place.choices)
    value = models.CharField(_("value"), max_length=200)
    seen = models.PositiveIntegerField(_("times seen"), default=0)
    first_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_at = models.DateTimeField(_("last seen"), default=timezone.now)
    last_link = models.ForeignKey(Link, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("unrecognized value")
        verbose_name_plural = _("unrecognized values")
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "provider", "place", "value"], name="one_row_per_unrecognized_value"
            )
        ]

    def __str__(self) -> str:
        return self.value


class LinkSearch(models.Model):
    """Folded search text of a link, apart from the columns that change with every read.

    Its institution isn't included: that name can change, so searches join it.
    """

    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="search")
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.link_id)


def repair_kind_of(integration: Integration, institution: Institution | None) -> RepairKind:
    """How links of an integration at an institution are repaired."""
    if institution is not None and institution.is_by_consent:
        return RepairKind.CONSENT
    provider_class = integration.provider_class
    if Capability.UPDATE_CREDENTIALS in provider_class.capabilities and provider_class.update_fields(institution):
        return RepairKind.TYPED
    return RepairKind.PAGE if Capability.REPAIR_URL in provider_class.capabilities else RepairKind.OWN_APP


def search_text(link: Link) -> str:
    parts = [link.end_user.name, link.end_user.external_id, link.remote_id, link.data_source_id, link.id]
    return " ".join(folded(str(part)) for part in parts if part)
