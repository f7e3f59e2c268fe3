"""Reads that become due with time: repairs to verify, links being set up, old data, ending consents."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from linkadmin.links import due_reads, health
from linkadmin.links.models import READ_EVERY, Link, LinkRead, Reason
from linkadmin.providers.types import Cause

AT_ONCE = 500  # links of each kind per round
UNASKABLE_FOR = timedelta(hours=1)  # then old data counts as stale even if no read was possible
ENDED_EVERY = timedelta(days=1)  # between two reads of a link whose consent has ended


def verify_repairs(*, now: datetime) -> None:
    allowed = timedelta(seconds=settings.PROOF_SECONDS)
    for link in health.verification_overdue(repaired_before=now - allowed)[:AT_ONCE]:
        health.stop_verifying(link, now=now)
    unverified = Link.objects.filter(pk__in=health.unverified(checked_before=now - READ_EVERY, now=now))
    _want(unverified, Reason.REPAIR, now)


def mark_stale(*, now: datetime) -> None:
    """Have links with old data read: there may be newer. A read that finds none marks them stale."""
    old = Link.objects.filter(pk__in=health.gone_stale(now=now))
    _want(old, Reason.AGE, now)
    wanted_in_vain = LinkRead.objects.filter(
        link=OuterRef("pk"), due_at__isnull=False, wanted_since__lte=now - UNASKABLE_FOR
    )
    for link in old.filter(Exists(wanted_in_vain), stale_at__lte=now - UNASKABLE_FOR)[:AT_ONCE]:
        health.mark_stale(link, now=now)


def end_permissions(*, now: datetime) -> None:
    for link in health.expiring_consents(now=now)[:AT_ONCE]:
        health.flag_expiring_consent(link, now=now)
    says_works = (Cause.WORKING.value, Cause.RENEW_SOON.value)
    over = Link.objects.filter(cause__in=says_works, renew_by__lt=now.date(), disconnected_at=None)
    _want(over.exclude(checked_at__gt=now - ENDED_EVERY), Reason.AGE, now)


def _want(links: "QuerySet[Link]", reason: Reason, now: datetime) -> None:
    wanted = LinkRead.objects.filter(link=OuterRef("pk"), due_at__isnull=False)
    ids = links.filter(~Exists(wanted)).order_by().values_list("pk", flat=True)[:AT_ONCE]
    due_reads.want(list(ids), reason=reason, at=now)
