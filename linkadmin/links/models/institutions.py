"""Institutions, as each integration's provider lists them."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.fields import FoldedField, NameField
from linkadmin.ids import url_of
from linkadmin.integrations.models import Integration
from linkadmin.providers.types import BY_CONSENT, INSTITUTION_DOWN


class Institution(models.Model):
    """A bank, tax authority or employer in one integration's list."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="institutions", verbose_name=_("integration")
    )
    remote_id = models.CharField(_("provider ID"), max_length=80, blank=True)
    name = models.CharField(_("name at provider"), max_length=120)
    display_name = NameField(_("name"), max_length=160)
    search = FoldedField(of=("display_name", "name"))
    kind = models.CharField(_("type"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)
    integration_type = models.CharField(_("access type"), max_length=20, blank=True)
    logo_url = models.CharField(_("logo"), max_length=300, blank=True)  # a text; never fetched
    website = models.CharField(_("website"), max_length=300, blank=True)
    features = models.JSONField(_("features"), default=list, blank=True)
    resources = models.JSONField(_("data"), default=list, blank=True)
    form_fields = models.JSONField(_("form fields"), default=list, blank=True)
    read_at = models.DateTimeField(_("fetched"), default=timezone.now)
    # For the order of the list. Changes with the counts, so a moment after the links.
    active_links = models.IntegerField(_("links"), default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        constraints = [models.UniqueConstraint(fields=["integration", "name"], name="one_institution_per_name")]
        # The list's order, for all and for each value of a filter. Institutions are written once a day.
        indexes = [
            models.Index(fields=["display_name", "id"], name="institution_by_name"),
            models.Index(fields=["active_links", "display_name", "id"], name="institution_by_links"),
            models.Index(fields=["integration", "display_name", "id"], name="institution_of_integration"),
            models.Index(fields=["country", "display_name", "id"], name="institution_of_country"),
            models.Index(fields=["kind", "display_name", "id"], name="institution_of_kind"),
            models.Index(fields=["status", "display_name", "id"], name="institution_of_status"),
            models.Index(fields=["integration_type", "display_name", "id"], name="institution_of_access"),
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return url_of("institution-detail", self.pk)

    @property
    def is_by_consent(self) -> bool:
        return self.integration_type in BY_CONSENT

    @property
    def is_listed(self) -> bool:
        return self.is_listed_since(self.integration.institutions_read_at)

    def is_listed_since(self, read_whole: datetime | None) -> bool:
        """`read_whole`: when the provider's list was last read in full."""
        return read_whole is None or self.read_at >= read_whole

    @property
    def is_down(self) -> bool:
        return self.status == INSTITUTION_DOWN


def values_of(column: str) -> list[str]:
    """The values of one of the list's filters, each by one look into the index that begins with its column."""
    table, name = connection.ops.quote_name(Institution._meta.db_table), connection.ops.quote_name(column)
    following = f"SELECT MIN({name}) FROM {table} WHERE {name} >"  # noqa: S608 - names of ours
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS ({following} '' UNION ALL "  # noqa: S608
            f"SELECT ({following} found.value) FROM found WHERE found.value IS NOT NULL) "
            "SELECT value FROM found WHERE value IS NOT NULL"
        )
        return [value for (value,) in cursor.fetchall()]


def institutions_named(integration: Integration, names: set[str]) -> dict[str, Institution]:
    """Creates those the list doesn't have yet."""
    known = _known(integration, names)
    if new := sorted(names - known.keys()):
        rows = [Institution(integration=integration, name=name, display_name=name) for name in new]
        Institution.objects.bulk_create(rows, ignore_conflicts=True)
        known |= _known(integration, new)
    return known


def _known(integration: Integration, names: Iterable[str]) -> dict[str, Institution]:
    return {each.name: each for each in integration.institutions.filter(name__in=list(names))}
