"""What time makes due: proofs of repairs, news of links being set up, data that grew old, permissions that end."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from linkadmin.links import due_reads, health
from linkadmin.links.models import READ_EVERY, Link, LinkRead, Reason
from linkadmin.providers.types import Cause

AT_ONCE = 500  # links, of each kind in one round
UNASKABLE_FOR = timedelta(hours=1)  # then old data counts as such although nobody could look for newer
ENDED_EVERY = timedelta(days=1)  # between two looks at a permission whose day is over


def verify_repairs(*, now: datetime) -> None:
    """Look for proof of repairs, and put back into the queue those for which none came in time."""
    patience = timedelta(seconds=settings.PROOF_SECONDS)
    for link in health.verification_overdue(repaired_before=now - patience)[:AT_ONCE]:
        health.stop_verifying(link, now=now)
    unverified = Link.objects.filter(pk__in=health.unverified(checked_before=now - READ_EVERY, now=now))
    _want(unverified, Reason.REPAIR, now)


def grow_stale(*, now: datetime) -> None:
    """Ask about links whose data grew old: there may be newer. A read that finds none makes them stale."""
    old = Link.objects.filter(pk__in=health.grown_stale(now=now))
    _want(old, Reason.AGE, now)
    wanted_in_vain = LinkRead.objects.filter(
        link=OuterRef("pk"), due_at__isnull=False, wanted_since__lte=now - UNASKABLE_FOR
    )
    for link in old.filter(Exists(wanted_in_vain), stale_at__lte=now - UNASKABLE_FOR)[:AT_ONCE]:
        health.grow_stale(link, now=now)


def end_permissions(*, now: datetime) -> None:
    """Ask for permissions before they end, and look at those whose day is over."""
    for link in health.ending_permissions(now=now)[:AT_ONCE]:
        health.ask_to_renew(link, now=now)
    says_works = (Cause.WORKING.value, Cause.RENEW_SOON.value)
    over = Link.objects.filter(cause__in=says_works, renew_by__lt=now.date(), disconnected_at=None)
    _want(over.exclude(checked_at__gt=now - ENDED_EVERY), Reason.AGE, now)


def _want(links: "QuerySet[Link]", reason: Reason, now: datetime) -> None:
    """Want reads of links, but for those that somebody wants already."""
    wanted = LinkRead.objects.filter(link=OuterRef("pk"), due_at__isnull=False)
    ids = links.filter(~Exists(wanted)).order_by().values_list("pk", flat=True)[:AT_ONCE]
    due_reads.want(list(ids), reason=reason, at=now)
