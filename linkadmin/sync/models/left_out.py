"""What a reading of a provider's list could not take over, by name and reason."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.models import Integration
from linkadmin.providers import records
from linkadmin.providers.reading import Why

from .full_checks import FullCheck

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_NAMED = 200  # of one reading
REASONS = {
    Why.NO_OBJECT: _("The record is not an object."),
    Why.NO_ID: _("The record has no ID."),
    Why.ID_UNUSABLE: _("Its ID is too long, or has characters that an ID can't have here."),
    Why.INCOMPLETE: _("The record lacks something that every other one has."),
    Why.UNREAD: _("Its links could not be read, and keep their state."),
}


class SkippedRecord(models.Model):
    """A record of a provider's list that is not here, and why."""

    class Kind(models.TextChoices):
        INSTITUTION = "institution", _("Institution")
        CUSTOMER = "customer", _("Customer")
        LINK = "link", _("Link")

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="left_out")
    full_check = models.ForeignKey(FullCheck, on_delete=models.CASCADE, null=True, blank=True, related_name="left_out")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=140, blank=True)  # as well as the record tells
    why = models.CharField(_("why"), max_length=12, choices=[(each.value, REASONS[each]) for each in Why])
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("record left out")
        verbose_name_plural = _("records left out")

    def __str__(self) -> str:
        return self.name or str(self.pk)


def of_institutions() -> "QuerySet[SkippedRecord]":
    """Return what the latest reading of each institution list left out."""
    return (
        SkippedRecord.objects.filter(kind=SkippedRecord.Kind.INSTITUTION).select_related("integration").order_by("pk")
    )


def note_institutions(integration: Integration, left_out: Iterable[records.LeftOut]) -> None:
    """Note what a reading of the whole institution list left out, in place of what the one before did."""
    integration.left_out.filter(kind=SkippedRecord.Kind.INSTITUTION).delete()
    _add(integration, None, SkippedRecord.Kind.INSTITUTION, list(left_out)[:MOST_NAMED])


def note_of_full_check(full_check: FullCheck, kind: SkippedRecord.Kind, left_out: Iterable[records.LeftOut]) -> None:
    """Note what a page of a full check's list left out, unless the full check has named enough."""
    found = list(left_out)
    if found:
        _add(full_check.integration, full_check, kind, found[: max(0, MOST_NAMED - full_check.left_out.count())])


def _add(
    integration: Integration,
    full_check: FullCheck | None,
    kind: SkippedRecord.Kind,
    left_out: Iterable[records.LeftOut],
) -> None:
    SkippedRecord.objects.bulk_create(
        SkippedRecord(
            integration=integration, full_check=full_check, kind=kind, name=each.name[:140], why=each.why.value
        )
        for each in left_out
    )
