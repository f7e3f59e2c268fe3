"""Our accounts at providers, their keys, and the rows that enforce limits across all processes."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import ENVIRONMENT
from linkadmin.fields import NameField
from linkadmin.providers import COMPANIONS, PROVIDERS, provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability, PracticeHints

INSTITUTIONS_TASK = "sync.read_institution_list"  # reads the institutions of a new or changed integration


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def askable(self, *, now: datetime) -> "IntegrationQuerySet":
        usable = ~Q(key_state=Integration.KeyState.REJECTED) | Q(keys_retry_at__lte=now)
        return self.filter(usable, is_active=True)

    def that_can(self, capability: Capability) -> "IntegrationQuerySet":
        return self.filter(
            provider__in=[kind for kind in (*PROVIDERS, *COMPANIONS) if capability in provider_class(kind).capabilities]
        )


class Integration(models.Model):
    """One account at one provider: base URL, keys, and its links."""

    class KeyState(models.TextChoices):
        UNTESTED = "untested", _("API keys untested")
        VALID = "valid", _("API keys valid")
        REJECTED = "rejected", _("API keys rejected")
        UNREACHABLE = "unreachable", _("No usable response")

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("provider"), max_length=20)
    name = NameField(_("name"), max_length=80, unique=True)
    environment = models.CharField(**ENVIRONMENT)
    base_url = models.CharField(_("base URL"), max_length=200)
    options = models.JSONField(_("options"), default=dict, blank=True)  # config fields that aren't secret
    companion_of = models.OneToOneField(  # the integration whose links it helps to repair
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="companion",
        verbose_name=_("companion of"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    key_state = models.CharField(_("API keys"), max_length=12, choices=KeyState.choices, default=KeyState.UNTESTED)
    keys_rejected_at = models.DateTimeField(_("API keys rejected since"), null=True, blank=True)
    keys_retry_at = models.DateTimeField(
        _("next retry of rejected API keys"), null=True, blank=True
    )  # None: only by a person
    tested_at = models.DateTimeField(_("last tested"), null=True, blank=True)
    test_detail = models.CharField(_("last test result"), max_length=500, blank=True)
    institutions_read_at = models.DateTimeField(_("institution list fetched"), null=True, blank=True)
    last_full_check_at = models.DateTimeField(_("last full check"), null=True, blank=True)  # when it started
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = IntegrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("integration-detail", args=[self.pk])

    @cached_property
    def provider_class(self) -> type[Provider]:
        return provider_class(self.provider)

    @property
    def provider_label(self) -> str:
        return self.provider_class.label

    @property
    def provider_name(self) -> str:
        return self.provider_class.full_name or self.provider_label

    @property
    def remote_id_label(self) -> str:
        return gettext(self.provider_class.remote_id_label)

    @property
    def practice_hints(self) -> PracticeHints:
        hints = self.provider_class.practice_hints
        return PracticeHints(gettext(hints.create), gettext(hints.update), gettext(hints.code))

    def can(self, capability: Capability) -> bool:
        return capability in self.provider_class.capabilities

    @property
    def companion_classes(self) -> list[type[Provider]]:
        """The providers that can help to repair its links."""
        return [each for each in map(provider_class, COMPANIONS) if each.companion_of == self.provider]

    @property
    def can_create_link(self) -> bool:
        return self.is_active and self.can(Capability.CREATE)

    @property
    def lists_institutions(self) -> bool:
        return self.can(Capability.INSTITUTIONS)

    @property
    def takes_deliveries(self) -> bool:
        return self.can(Capability.WEBHOOK_DELIVERIES)

    @property
    def keys_rejected(self) -> bool:
        """A rejection that may have been a rate limit ends at `keys_retry_at`."""
        if self.key_state != self.KeyState.REJECTED:
            return False
        return self.keys_retry_at is None or self.keys_retry_at > timezone.now()


class IntegrationSecret(models.Model):
    """One encrypted key of an integration. Administrators write it; only clients read it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=40)
    encrypted = models.BinaryField()
    fingerprint = models.CharField(max_length=8)  # distinguishes two keys without revealing them
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "name"], name="one_secret_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint})"


class CircuitBreaker(models.Model):
    """Circuit breaker of an integration. Locked briefly at the start and end of each call."""

    integration = models.OneToOneField(
        Integration, on_delete=models.CASCADE, primary_key=True, related_name="circuit_breaker"
    )
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    recent = models.CharField(max_length=20, blank=True)  # the last calls, newest last: "." succeeded, "x" failed
    open_until = models.DateTimeField(null=True, blank=True)
    open_reason = models.CharField(max_length=80, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)  # until then, a probe call is in flight

    def __str__(self) -> str:
        return str(self.integration_id)


class CallSlot(models.Model):
    """A request slot, in use until deleted or until its lease ends."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="slots")
    call = models.CharField(max_length=60)
    person = models.ForeignKey(  # who started the call; None: the system
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["integration", "lease_until"], name="call_slots")]

    def __str__(self) -> str:
        return self.call


class CallQuota(models.Model):
    """How many calls were made in a window, and how many are allowed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="quotas")
    scope = models.CharField(max_length=60, blank=True)  # a call; empty: all calls
    calls = models.PositiveIntegerField()  # allowed per window
    used = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()
    reported = models.BooleanField(default=False)  # by the provider's responses, not its documents
    recent = models.TextField(blank=True, default="", db_default="")  # its latest calls, as `recent_calls` writes them
    guesses = models.PositiveSmallIntegerField(default=0)  # consecutive waits whose length no response reported
    seconds = 60.0  # of a window; not a column: `quotas` sets it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "scope"], name="one_quota_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope or '*'}: {self.used}/{self.calls}"
