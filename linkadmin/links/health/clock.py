"""Changes due to time alone, and links that are due for a check."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from linkadmin.integrations.models import Integration
from linkadmin.links import counts
from linkadmin.links.causes import ESCALATED_RANK
from linkadmin.links.models import ESCALATE_AFTER, HealthChange, Link
from linkadmin.providers.types import Cause, HealthState

from .rules import RENEW_WITHIN, WORKS, AppliedReport, Report, Source, aged, as_known, renews_soon, set_state
from .writer import lock, save

SETTING_UP_EAGERLY = timedelta(minutes=10)


@transaction.atomic
def mark_stale(link: Link, *, now: datetime) -> HealthChange | None:
    lock(link)
    if HealthState(link.health) is not WORKS or link.stale_at is None or link.stale_at > now:
        return None
    return _turn(link, Report(as_known(link, aged(link)), Source.CLOCK, now))


@transaction.atomic
def flag_expiring_consent(link: Link, *, now: datetime) -> HealthChange | None:
    lock(link)
    if link.cause != Cause.WORKING or not renews_soon(link, now):
        return None
    return _turn(link, Report(as_known(link, Cause.WORKING), Source.CLOCK, now))


def escalate(*, now: datetime) -> int:
    waiting = Link.objects.filter(health=HealthState.WAITING.value, verifying_since=None, disconnected_at=None)
    overdue = waiting.filter(health_since__lte=now - ESCALATE_AFTER).exclude(urgency=ESCALATED_RANK)
    return overdue.update(urgency=ESCALATED_RANK)


def unverified(*, checked_before: datetime, eager_since: datetime, now: datetime) -> "QuerySet[Link, UUID]":
    """`eager_since` is SETTING_UP_EAGERLY ago."""
    askable = Integration.objects.askable(now=now)
    new = Q(health=HealthState.SETTING_UP)
    eager = Q(verifying_since__isnull=False) | (new & Q(health_since__gt=eager_since))
    quiet = eager & (Q(checked_at=None) | Q(checked_at__lt=checked_before))
    # A link that has been setting up for long is checked less often.
    patient = new & Q(checked_at__lt=eager_since)
    waiting = Link.objects.filter(quiet | patient, disconnected_at=None, integration__in=askable)
    return waiting.values_list("pk", flat=True)


def verification_overdue(*, repaired_before: datetime) -> "QuerySet[Link]":
    """Includes links that can't be checked now."""
    return Link.objects.filter(verifying_since__lt=repaired_before, disconnected_at=None)


def gone_stale(*, now: datetime) -> "QuerySet[Link, UUID]":
    return Link.objects.filter(health=WORKS, stale_at__lte=now, disconnected_at=None).values_list("pk", flat=True)


def expiring_consents(*, now: datetime) -> "QuerySet[Link]":
    return Link.objects.filter(cause=Cause.WORKING, renew_by__lte=(now + RENEW_WITHIN).date(), disconnected_at=None)


def _turn(link: Link, report: Report) -> HealthChange | None:
    before = counts.key_of(link)
    change = set_state(link, report)
    return save(link, AppliedReport(accepted=True, change=change), before=before, at=report.at)
