"""How many links are in each state, by integration and institution: now, and per day.

The transaction that changes a link's state appends a move. Moves are added to the counts later. Together they are exact
at any time.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from linkadmin.integrations.models import Integration

from .institutions import Institution

STATE_LENGTH = 20


class Grain(models.Model):
    """What is counted separately."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="+")
    institution = models.ForeignKey(Institution, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True


class CountMove(Grain):
    """Links that changed state on a day (UTC), not in the counts yet."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    old = models.CharField(max_length=STATE_LENGTH, blank=True)  # empty: new links
    new = models.CharField(max_length=STATE_LENGTH)
    links = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.old or '-'} → {self.new}"


class LinkCount(Grain):
    id = models.BigAutoField(primary_key=True)
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    links = models.IntegerField(_("links"), default=0)

    class Meta:
        verbose_name = _("link count")
        verbose_name_plural = _("link counts")
        indexes = [models.Index(fields=["integration", "institution", "state"], name="link_count_of")]

    def __str__(self) -> str:
        return f"{self.state}: {self.links}"


class DailyCount(Grain):
    """How many links entered and left a state on a day (UTC).

    Totals at the end of a day follow from the current counts and the days since.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    state = models.CharField(_("status"), max_length=STATE_LENGTH)
    entered = models.PositiveIntegerField(_("added"), default=0)
    left = models.PositiveIntegerField(_("removed"), default=0)

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        indexes = [models.Index(fields=["day", "integration", "institution", "state"], name="daily_count_of")]

    def __str__(self) -> str:
        return f"{self.day} {self.state}: +{self.entered} -{self.left}"
