"""Links that are to be read anew, one row each: however often it is asked for, it is one read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from linkadmin.links.models import Link


class Reason(models.TextChoices):
    """Why a link is read, the most urgent first."""

    MESSAGE = "message", _("a message of the provider")
    PROOF = "proof", _("proof that a repair works")
    MISSING = "missing", _("it was not in the provider's list")
    CHANGED = "changed", _("the list says that something changed")
    AGE = "age", _("its data grows old")


class LinkRead(models.Model):
    """When a link is read next, and when it was read last. Kept between reads, so that none comes too soon."""

    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="next_read")
    due_at = models.DateTimeField(null=True, blank=True)  # None: nobody wants it
    wanted_at = models.DateTimeField(null=True, blank=True)  # a read that began before this is too old
    reason = models.CharField(max_length=8, choices=Reason.choices)
    urgency = models.PositiveSmallIntegerField(default=0)  # the place of the reason, least first
    lease_until = models.DateTimeField(null=True, blank=True)  # somebody is at it
    read_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)  # in a row, in vain

    class Meta:
        indexes = [models.Index(fields=["urgency", "due_at"], condition=Q(due_at__isnull=False), name="link_read_due")]

    def __str__(self) -> str:
        return f"{self.link_id}: {self.reason}"
