"""Webhook endpoints, signing secrets, and deliveries with their outcomes."""

import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.ids import url_of
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link
from linkadmin.providers.records import WebhookKind
from linkadmin.providers.types import LinkRef
from linkadmin.work_queue import WorkItem

# Part of the associated data of every encrypted secret. Changing it makes them all undecryptable.
ENCRYPTED_FOR = {"table": "inbox_webhooksecret", "field": "sealed"}
PUBLISHED_KEY_LIFE = timedelta(days=1)  # then a provider's own key is fetched again: it may have expired
LIVE_SECRETS = 2  # per integration: the current one, and the next during a rotation


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("Pending")
    PROCESSING = "processing", _("Processing")
    DONE = "done", _("Done")


class DeliveryOutcome(models.TextChoices):
    CHANGED = "changed", _("Status changed")
    NO_CHANGE = "no_change", _("No change")
    NO_MATCHING_LINK = "no_matching_link", _("No matching link")
    UNRECOGNIZED_TYPE = "unrecognized_type", _("Unrecognized type")
    INVALID_PAYLOAD = "invalid_payload", _("Invalid payload")
    WAITING_TO_RETRY = "waiting_to_retry", _("Waiting to retry")
    LATE = "late", _("Late")


def timed_id(at: datetime) -> uuid.UUID:
    """Return a random UUIDv7: it starts with the time, so IDs sort by time."""
    version, variant = 0x7 << 76, 0b10 << 62
    part_of_millisecond = (at.microsecond % 1000 * 4096 // 1000) << 64
    return uuid.UUID(int=first_id(at).int | version | part_of_millisecond | variant | secrets.randbits(62))


def first_id(at: datetime) -> uuid.UUID:
    """Return the smallest ID created at or after a moment."""
    return uuid.UUID(int=int(at.timestamp()) * 1000 + at.microsecond // 1000 << 80)


def new_delivery_id() -> uuid.UUID:
    return timed_id(timezone.now())


def new_path() -> str:
    return secrets.token_hex(16)


class WebhookEndpoint(models.Model):
    """The URL an integration's provider posts its webhooks to."""

    integration = models.OneToOneField(
        Integration, on_delete=models.CASCADE, primary_key=True, related_name="webhook_endpoint"
    )
    path = models.CharField(max_length=32, unique=True, default=new_path)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.integration)

    @property
    def address(self) -> str:
        return f"/webhooks/{self.integration.provider}/{self.path}/"


class WebhookSecret(models.Model):
    """An encrypted signing secret. A revoked one has no value."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="webhook_secrets", verbose_name=_("integration")
    )
    encrypted = models.BinaryField()
    fingerprint = models.CharField(_("fingerprint"), max_length=8)  # identifies a secret without revealing it
    version = models.PositiveIntegerField(_("version"))  # counts up per integration
    created_at = models.DateTimeField(_("added"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("added by")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["integration", "version"], name="one_webhook_secret_per_version")
        ]

    def __str__(self) -> str:
        return self.fingerprint


_DONE = Q(state="done")


class WebhookDelivery(WorkItem):
    """One webhook request, with its cleaned payload. IDs sort by time."""

    id = models.UUIDField(_("ID"), primary_key=True, default=new_delivery_id, editable=False)
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("integration")
    )
    key = models.CharField(max_length=64)  # equal for copies of the same delivery
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    copies = models.PositiveIntegerField(_("times received"), default=1)
    size = models.PositiveIntegerField(_("size"), default=0)  # bytes
    # No index: only read for a few deliveries at a time.
    secret = models.ForeignKey(
        WebhookSecret, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )

    kind = models.CharField(_("type"), max_length=24, default=WebhookKind.UNKNOWN.value)
    topic = models.CharField(_("topic"), max_length=250, blank=True)  # as the provider calls it
    remote_link_id = models.CharField(_("link ID"), max_length=120, blank=True)
    end_user_id = models.CharField(_("customer ID"), max_length=140, blank=True)  # ours, or the provider's
    consent_id = models.CharField(_("consent ID"), max_length=120, blank=True)
    request_id = models.CharField(_("request ID"), max_length=120, blank=True)
    session_digest = models.CharField(max_length=64, blank=True, default="", db_default="")  # of a visit's token
    remote_created_at = models.DateTimeField(_("sent by provider"), null=True, blank=True)
    payload = models.JSONField(_("payload"), default=dict)

    state = models.CharField(_("status"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    outcome = models.CharField(_("outcome"), max_length=17, choices=DeliveryOutcome.choices, blank=True)
    first_outcome = models.CharField(max_length=17, choices=DeliveryOutcome.choices, blank=True)  # before any reprocess
    wanted_at = models.DateTimeField(default=timezone.now)  # reads that began earlier don't count
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True)
    reprocess_count = models.PositiveIntegerField(_("times reprocessed"), default=0)
    reprocessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("reprocessed by"),
    )
    links: "models.ManyToManyField[Link, DeliveryLink]" = models.ManyToManyField(
        Link, through="DeliveryLink", related_name="deliveries"
    )

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["integration", "key"], name="one_delivery_per_message")]
        indexes = [
            models.Index(fields=["integration", "-id"], name="delivery_of_integration"),
            models.Index(fields=["due_at"], condition=~Q(state="done"), name="delivery_due"),
            models.Index(fields=["-id"], condition=Q(kind="unknown"), name="delivery_unknown"),
            # These get their rows when a delivery is processed: accepting one pays for as few as possible.
            models.Index(fields=["outcome", "-id"], condition=~Q(outcome=""), name="delivery_of_outcome"),
            models.Index(fields=["topic", "-id"], condition=_DONE, name="delivery_of_topic"),
            models.Index(fields=["remote_link_id"], condition=_DONE & ~Q(remote_link_id=""), name="delivery_link_id"),
            models.Index(fields=["end_user_id"], condition=_DONE & ~Q(end_user_id=""), name="delivery_customer_id"),
            models.Index(fields=["request_id"], condition=_DONE & ~Q(request_id=""), name="delivery_request_id"),
            models.Index(fields=["consent_id"], condition=_DONE & ~Q(consent_id=""), name="delivery_consent_id"),
        ]

    def __str__(self) -> str:
        return self.topic or str(self.pk)

    def get_absolute_url(self) -> str:
        return url_of("delivery-detail", self.pk)

    @property
    def ref(self) -> LinkRef:
        return LinkRef(self.remote_link_id, self.end_user_id)

    @property
    def is_known(self) -> bool:
        return self.kind != WebhookKind.UNKNOWN.value

    @property
    def can_be_reprocessed(self) -> bool:
        return self.state == DeliveryState.DONE and self.outcome != DeliveryOutcome.INVALID_PAYLOAD


class DeliveryLink(models.Model):
    """A link a delivery is about, and what reading it showed."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="delivery_links")
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="delivery_links", db_index=False)
    read_at = models.DateTimeField(null=True, blank=True)  # when the read that closed it began
    outcome = models.CharField(max_length=17, choices=DeliveryOutcome.choices, blank=True)

    class Meta:
        # In this order, a link's deliveries are sorted by time.
        constraints = [models.UniqueConstraint(fields=["link", "delivery"], name="one_row_per_link_and_delivery")]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.link_id}"


class RefusalCount(models.Model):
    """How many requests to an integration's URL were rejected in one minute."""

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+", db_index=False)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["integration", "minute"], name="one_refusal_count_per_minute")]

    def __str__(self) -> str:
        return f"{self.integration_id} {self.minute:%H:%M}: {self.count}"


def insert_or_add(row: models.Model, *, unique: tuple[str, ...], counter: str) -> int:
    """Insert a row, or add its counter to the existing row's; return the new count.

    One statement: on a conflict, the ORM can ignore or overwrite, but not add.
    """
    fields = [field for field in row._meta.concrete_fields if not isinstance(field, models.AutoField)]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_statement(row, [str(field.column) for field in fields], unique, counter), values)
        (count,) = cursor.fetchone()
    return int(count)


def _statement(row: models.Model, columns: list[str], unique: tuple[str, ...], counter: str) -> str:
    quote = connection.ops.quote_name
    table, count = quote(row._meta.db_table), quote(counter)
    names, places = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    return (
        f"INSERT INTO {table} ({names}) VALUES ({places}) "  # noqa: S608 - names of our own columns
        f"ON CONFLICT ({', '.join(map(quote, unique))}) "
        f"DO UPDATE SET {count} = {table}.{count} + excluded.{count} RETURNING {count}"
    )
