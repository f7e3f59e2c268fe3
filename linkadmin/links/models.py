"""What we know: customers, the providers we reach them through, and the state of each link."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from linkadmin.providers import provider_class
from linkadmin.providers.base import Provider
from linkadmin.providers.types import Capability, Cause, HealthState, LinkRef, PracticeHints

from .causes import STATES, VERDICTS, Verdict

# One text for two columns: enums are stored by value and shown by their own tables (causes.py).
HEALTH_CHOICES = [(state.value, state.value) for state in HealthState]
CAUSE_CHOICES = [(cause.value, cause.value) for cause in Cause]


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def askable(self, *, now: datetime) -> "IntegrationQuerySet":
        """Return those that may be asked without a person: in use, with keys that are not refused at `now`."""
        usable = ~Q(key_state=Integration.KeyState.REFUSED) | Q(keys_retry_at__lte=now)
        return self.filter(usable, is_active=True)


class Integration(models.Model):
    """One account at one provider: an address, keys, and the links reached through it."""

    class KeyState(models.TextChoices):
        UNTRIED = "untried", _("Not tried yet")
        GOOD = "good", _("Keys are good")
        REFUSED = "refused", _("Keys are refused")
        UNREACHABLE = "unreachable", _("Could not be reached")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider = models.CharField(_("provider"), max_length=20)
    name = models.CharField(_("name"), max_length=80, unique=True)
    base_url = models.CharField(_("base address"), max_length=200)
    options = models.JSONField(_("options"), default=dict, blank=True)  # the provider's non-secret config fields
    is_active = models.BooleanField(_("in use"), default=True)
    key_state = models.CharField(_("keys"), max_length=12, choices=KeyState.choices, default=KeyState.UNTRIED)
    keys_retry_at = models.DateTimeField(_("refused keys are tried again"), null=True, blank=True)  # None: by a person
    tested_at = models.DateTimeField(_("last tested"), null=True, blank=True)
    test_detail = models.CharField(_("answer of the last test"), max_length=500, blank=True)
    institutions_read_at = models.DateTimeField(_("institutions read"), null=True, blank=True)
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
    def speaks(self) -> type[Provider]:
        """The class of its provider, for what needs no keys: labels, capabilities, fields."""
        return provider_class(self.provider)

    @property
    def provider_label(self) -> str:
        return self.speaks.label

    @property
    def remote_id_label(self) -> str:
        return self.speaks.remote_id_label

    @property
    def practice_hints(self) -> PracticeHints:
        return self.speaks.practice_hints

    def can(self, capability: Capability) -> bool:
        return capability in self.speaks.capabilities

    @property
    def can_create_link(self) -> bool:
        return self.is_active and self.can(Capability.CREATE)

    @property
    def lists_institutions(self) -> bool:
        return self.can(Capability.INSTITUTIONS)

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
    display_name = models.CharField(_("name"), max_length=160)
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
    def is_down(self) -> bool:
        return self.status == "down"


class EndUser(models.Model):
    """A customer of the company: the person or firm whose banks are linked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(_("customer id"), max_length=140, unique=True)
    name = models.CharField(_("name"), max_length=128, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("end user")
        verbose_name_plural = _("end users")
        indexes = [models.Index(fields=["name", "id"], name="end_user_by_name")]

    def __str__(self) -> str:
        return self.name or self.external_id

    def get_absolute_url(self) -> str:
        return reverse("end-user-detail", args=[self.pk])


class LinkQuerySet(models.QuerySet["Link"]):
    def standing(self) -> "LinkQuerySet":
        """Return the links that stand in the way of a new one: not ended, and not gone at the provider."""
        return self.filter(ended_at=None).exclude(health=HealthState.DISCONNECTED.value)


class Link(models.Model):
    """One customer's connection to one bank. Its health columns are written by `health.py` alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="links")
    end_user = models.ForeignKey(EndUser, on_delete=models.PROTECT, related_name="links")
    institution = models.ForeignKey(Institution, on_delete=models.SET_NULL, null=True, blank=True, related_name="links")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="owned_links"
    )
    remote_id = models.CharField(_("id at the provider"), max_length=120)
    data_source_id = models.CharField(_("data source id"), max_length=80, blank=True)
    remote_kind = models.CharField(_("kind at the provider"), max_length=40, blank=True)
    access_mode = models.CharField(_("access mode"), max_length=20, blank=True)
    refresh_rate = models.CharField(_("refresh rate"), max_length=8, blank=True)
    storage = models.CharField(_("how long the login is kept"), max_length=10, blank=True)
    stale_in = models.CharField(_("data removed after"), max_length=8, blank=True)
    resources = models.JSONField(_("what is fetched"), default=list, blank=True)
    remote_created_at = models.DateTimeField(_("created at the provider"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    health = models.CharField(_("state"), max_length=20, choices=HEALTH_CHOICES, default=HealthState.UNKNOWN.value)
    cause = models.CharField(_("cause"), max_length=40, choices=CAUSE_CHOICES, default=Cause.UNRECOGNISED.value)
    health_since = models.DateTimeField(_("since"), default=timezone.now)
    attention = models.PositiveSmallIntegerField(default=99)  # rank in the work list, least first
    conflict = models.BooleanField(_("provider contradicts itself"), default=False)
    raw_status = models.CharField(_("provider's status"), max_length=60, blank=True)
    raw_code = models.CharField(_("provider's code"), max_length=80, blank=True)
    raw_words = models.CharField(_("provider's words"), max_length=500, blank=True)
    request_id = models.CharField(_("provider's request id"), max_length=80, blank=True)
    renew_by = models.DateField(_("renew by"), null=True, blank=True)
    last_good_at = models.DateTimeField(_("last good data"), null=True, blank=True)
    stale_at = models.DateTimeField(null=True, blank=True)  # when its last good data stops being fresh
    last_attempt_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)  # an attempt failed; only a newer success cancels it
    observed_at = models.DateTimeField(null=True, blank=True)  # when what we know was true
    asked_at = models.DateTimeField(_("last asked"), null=True, blank=True)
    ask_failed = models.CharField(_("why it could not be asked"), max_length=80, blank=True)  # by the last try
    proving_since = models.DateTimeField(_("fixed, proving since"), null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "remote_id"], condition=Q(ended_at=None), name="one_live_link_per_remote_id"
            )
        ]
        indexes = [
            models.Index(fields=["attention", "health_since", "id"], name="link_work_list"),
            models.Index(fields=["remote_id"], name="link_by_remote_id"),
            models.Index(fields=["proving_since"], condition=Q(proving_since__isnull=False), name="link_proving"),
        ]

    def __str__(self) -> str:
        return f"{self.end_user} × {self.institution or self.integration}"

    def get_absolute_url(self) -> str:
        return reverse("link-detail", args=[self.pk])

    @property
    def bank(self) -> str:
        return self.institution.display_name if self.institution else ""

    @property
    def ref(self) -> LinkRef:
        bank = self.institution
        return LinkRef(self.remote_id, self.end_user.external_id, bank.integration_type if bank else "")

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[Cause(self.cause)]

    @property
    def is_proving(self) -> bool:
        return self.proving_since is not None

    @property
    def is_ended(self) -> bool:
        return self.ended_at is not None

    def rank(self) -> int:
        """Return its place in the work list: a running clock comes first, what is being proven needs nobody for now."""
        if self.is_proving:
            return STATES[HealthState.SETTING_UP].rank
        if self.cause == Cause.CODE_WAITING.value:
            return 0
        return STATES[HealthState(self.health)].rank


class Traffic(models.Model):
    """How the calls to one integration go: the breaker that pauses them, and the credit for repeating reads.

    One row per integration, locked for a moment at the beginning and the end of each call, so that all processes
    together keep to what is here.
    """

    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, primary_key=True, related_name="traffic")
    failures = models.PositiveSmallIntegerField(default=0)  # in a row
    recent = models.CharField(max_length=20, blank=True)  # the last calls, the newest last: "." good, "x" failed
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=80, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)  # after a pause one call at a time finds out
    repeat_credit = models.PositiveSmallIntegerField(default=100)  # tenths of a repeated read

    def __str__(self) -> str:
        return str(self.integration_id)


class CallPlace(models.Model):
    """One call to an integration that is under way; over when deleted, or when its lease is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="places")
    call = models.CharField(max_length=60)
    taken_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["integration", "lease_until"], name="call_places")]

    def __str__(self) -> str:
        return self.call


class CallQuota(models.Model):
    """How many calls of one kind were made within a window, and how many may be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="quotas")
    scope = models.CharField(max_length=60, blank=True)  # the call; empty: all calls together
    calls = models.PositiveIntegerField()  # how many a window allows
    used = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()
    told = models.BooleanField(default=False)  # the provider's own words in its answers, not what its documents say

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "scope"], name="one_quota_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope or '*'}: {self.used}/{self.calls}"


class UnknownValue(models.Model):
    """A word of a provider's that is in no table of ours: kept and counted, so that the tables can grow."""

    class Place(models.TextChoices):
        STATUS = "status", _("Status of a link")
        CODE = "code", _("Code of an error")
        WORDS = "words", _("Words of an error")

    id = models.BigAutoField(primary_key=True)
    provider = models.CharField(_("provider"), max_length=20)
    place = models.CharField(_("where it was"), max_length=8, choices=Place.choices)
    value = models.CharField(_("word"), max_length=200)
    seen = models.PositiveIntegerField(_("times seen"), default=0)
    first_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_at = models.DateTimeField(_("last seen"), default=timezone.now)
    last_link = models.ForeignKey(Link, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("unknown value")
        verbose_name_plural = _("unknown values")
        constraints = [models.UniqueConstraint(fields=["provider", "place", "value"], name="one_row_per_unknown_value")]

    def __str__(self) -> str:
        return self.value


class LinkSearch(models.Model):
    """The words a link is found by, lower-cased, apart from the columns that change with every read."""

    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="search")
    text = models.TextField()

    def __str__(self) -> str:
        return str(self.link_id)


class HealthChange(models.Model):
    """One change of one link's state: what it was, what it became, and on whose word."""

    class Source(models.TextChoices):
        CALL = "call", _("answer to a call of ours")
        WEBHOOK = "webhook", _("message of the provider")
        LIST = "list", _("reading the provider's records")
        CLOCK = "clock", _("time that passed")

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(_("time"))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    old = models.CharField(_("was"), max_length=20, choices=HEALTH_CHOICES, blank=True)
    new = models.CharField(_("became"), max_length=20, choices=HEALTH_CHOICES)
    cause = models.CharField(_("cause"), max_length=40, choices=CAUSE_CHOICES)
    raw_status = models.CharField(max_length=60, blank=True)
    raw_code = models.CharField(max_length=80, blank=True)
    raw_words = models.CharField(max_length=500, blank=True)
    operation_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = _("health change")
        verbose_name_plural = _("health changes")
        indexes = [models.Index(fields=["link", "-at"], name="health_change_of_link")]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[Cause(self.cause)]


def search_text(link: Link) -> str:
    """Return what a link is found by: the customer's name and ids, the bank, every id of the link."""
    parts = [link.end_user.name, link.end_user.external_id, link.bank, link.remote_id, link.data_source_id, link.id]
    return " ".join(str(part).lower() for part in parts if part)
