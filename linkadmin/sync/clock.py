"""Reads that become due with time: repairs to verify, links being set up, old data, ending consents."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from linkadmin.compiled_query import CompiledQuery
from linkadmin.links import due_reads, health
from linkadmin.links.models import READ_EVERY, Link, LinkRead, Reason
from linkadmin.providers.types import Cause

AT_ONCE = 500  # links of each kind per round
UNASKABLE_FOR = timedelta(hours=1)  # then old data counts as stale even if no read was possible
ENDED_EVERY = timedelta(days=1)  # between two reads of a link whose consent has ended


def verify_repairs(*, now: datetime) -> None:
    allowed = timedelta(seconds=settings.PROOF_SECONDS)
    for link in _OVERDUE.instances(now - allowed):
        health.stop_verifying(link, now=now)
    unverified = _UNVERIFIED.rows(now, now - health.SETTING_UP_EAGERLY, now - READ_EVERY)
    _want(unverified, Reason.REPAIR, now)


def mark_stale(*, now: datetime) -> None:
    """Have links with old data read: there may be newer. A read that finds none marks them stale."""
    _want(_STALE.rows(now), Reason.AGE, now)
    for link in _STALE_UNREAD.instances(now - UNASKABLE_FOR):
        health.mark_stale(link, now=now)


def end_permissions(*, now: datetime) -> None:
    for link in health.expiring_consents(now=now)[:AT_ONCE]:
        health.flag_expiring_consent(link, now=now)
    says_works = (Cause.WORKING.value, Cause.RENEW_SOON.value)
    over = Link.objects.filter(cause__in=says_works, renew_by__lt=now.date(), disconnected_at=None)
    _want(_unwanted(over.exclude(checked_at__gt=now - ENDED_EVERY)), Reason.AGE, now)


def _want(rows: "Iterable[tuple[UUID | str]]", reason: Reason, now: datetime) -> None:
    due_reads.want([UUID(str(pk)) for (pk,) in rows], reason=reason, at=now)


def _unwanted(links: "QuerySet[Link]") -> "QuerySet[Link, tuple[UUID]]":
    wanted = LinkRead.objects.filter(link=OuterRef("pk"), due_at__isnull=False)
    return links.filter(~Exists(wanted)).order_by().values_list("pk")[:AT_ONCE]


def _unverified(now: datetime, eager_since: datetime, checked_before: datetime) -> "QuerySet[Any]":
    pks = health.unverified(checked_before=checked_before, eager_since=eager_since, now=now)
    return _unwanted(Link.objects.filter(pk__in=pks))


def _stale(now: datetime) -> "QuerySet[Link]":
    return Link.objects.filter(pk__in=health.gone_stale(now=now))


def _stale_unread(since: datetime) -> "QuerySet[Link]":
    """Links that have been stale and waiting for a read since then."""
    in_vain = LinkRead.objects.filter(link=OuterRef("pk"), due_at__isnull=False, wanted_since__lte=since)
    return _stale(since).filter(Exists(in_vain))[:AT_ONCE]


# Run every few seconds; they almost always find nothing.
_OVERDUE = CompiledQuery(lambda before: health.verification_overdue(repaired_before=before)[:AT_ONCE], (datetime,))
_UNVERIFIED = CompiledQuery(_unverified, (datetime, datetime, datetime))
_STALE = CompiledQuery(lambda now: _unwanted(_stale(now)), (datetime,))
_STALE_UNREAD = CompiledQuery(_stale_unread, (datetime,))
