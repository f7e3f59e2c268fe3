"""The providers' accounts we speak through, their keys, and the institutions that each of them lists."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from linkadmin.fields import FoldedField, NameField
from linkadmin.providers import PROVIDERS, provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability, PracticeHints

# Where the customer gives the bank a consent instead of a password to us.
OF_CONSENT = ("openfinance", "openbanking")


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def askable(self, *, now: datetime) -> "IntegrationQuerySet":
        """Return those that may be asked without a person: in use, with keys that are not refused at `now`."""
        usable = ~Q(key_state=Integration.KeyState.REFUSED) | Q(keys_retry_at__lte=now)
        return self.filter(usable, is_active=True)

    def that_can(self, capability: Capability) -> "IntegrationQuerySet":
        """Return those whose provider has a capability."""
        return self.filter(provider__in=[kind for kind in PROVIDERS if capability in provider_class(kind).capabilities])


class Integration(models.Model):
    """One account at one provider: an address, keys, and the links reached through it."""

    class KeyState(models.TextChoices):
        UNTRIED = "untried", _("Not tried yet")
        GOOD = "good", _("Keys are good")
        REFUSED = "refused", _("Keys are refused")
        UNREACHABLE = "unreachable", _("No good answer")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("provider"), max_length=20)
    name = NameField(_("name"), max_length=80, unique=True)
    base_url = models.CharField(_("base address"), max_length=200)
    options = models.JSONField(_("options"), default=dict, blank=True)  # the provider's non-secret config fields
    is_active = models.BooleanField(_("in use"), default=True)
    key_state = models.CharField(_("keys"), max_length=12, choices=KeyState.choices, default=KeyState.UNTRIED)
    keys_refused_at = models.DateTimeField(_("keys refused since"), null=True, blank=True)
    keys_retry_at = models.DateTimeField(_("refused keys are tried again"), null=True, blank=True)  # None: by a person
    tested_at = models.DateTimeField(_("last tested"), null=True, blank=True)
    test_detail = models.CharField(_("answer of the last test"), max_length=500, blank=True)
    institutions_read_at = models.DateTimeField(_("institutions read"), null=True, blank=True)
    last_full_check_at = models.DateTimeField(_("all links read"), null=True, blank=True)  # when it began
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
        """The class of its provider, for what needs no keys: labels, capabilities, fields."""
        return provider_class(self.provider)

    @property
    def provider_label(self) -> str:
        return self.provider_class.label

    @property
    def remote_id_label(self) -> str:
        return self.provider_class.remote_id_label

    @property
    def practice_hints(self) -> PracticeHints:
        return self.provider_class.practice_hints

    def can(self, capability: Capability) -> bool:
        return capability in self.provider_class.capabilities

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
    def keys_refused(self) -> bool:
        """Whether the keys are refused for now: until a moment where it may have been a rate limit."""
        if self.key_state != self.KeyState.REFUSED:
            return False
        return self.keys_retry_at is None or self.keys_retry_at > timezone.now()


class IntegrationSecret(models.Model):
    """One sealed key of an integration. Written by an administrator, read only while a call is signed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=40)
    sealed = models.BinaryField()
    fingerprint = models.CharField(max_length=8)  # tells two keys apart without telling the key
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "name"], name="one_secret_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.fingerprint})"


class Institution(models.Model):
    """A bank, tax office or employer, as one integration's provider lists it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="institutions")
    remote_id = models.CharField(max_length=80, blank=True)
    name = models.CharField(_("name at the provider"), max_length=120)
    display_name = NameField(_("name"), max_length=160)
    search = FoldedField(of=("display_name", "name"))
    kind = models.CharField(_("kind"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)
    integration_type = models.CharField(_("kind of access"), max_length=20, blank=True)
    logo_url = models.CharField(_("logo"), max_length=300, blank=True)  # a text; never fetched
    website = models.CharField(_("website"), max_length=300, blank=True)
    features = models.JSONField(default=list, blank=True)
    resources = models.JSONField(default=list, blank=True)
    form_fields = models.JSONField(default=list, blank=True)
    read_at = models.DateTimeField(_("read"), default=timezone.now)

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        constraints = [models.UniqueConstraint(fields=["integration", "name"], name="one_institution_per_name")]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("institution-detail", args=[self.pk])

    @property
    def is_by_consent(self) -> bool:
        return self.integration_type in OF_CONSENT

    @property
    def is_listed(self) -> bool:
        """Whether the provider's list had it when it was last read whole."""
        return self.is_listed_since(self.integration.institutions_read_at)

    def is_listed_since(self, read_whole: datetime | None) -> bool:
        """Tell the same for who knows already when the list was last read whole."""
        return read_whole is None or self.read_at >= read_whole

    @property
    def is_down(self) -> bool:
        return self.status == "down"
