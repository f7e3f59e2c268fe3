"""When the rest of a job can run, as far as quotas and circuit breakers tell."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from linkadmin.integrations import quotas
from linkadmin.integrations.denials import KEYS_REJECTED, describe, words_for
from linkadmin.integrations.limits import Limits
from linkadmin.integrations.models import CallQuota, Integration

from .models import BulkJob

CALL = "read_links"


@dataclass(frozen=True, slots=True)
class QuotaShare:
    """What is left of a job at one integration."""

    integration: Integration
    links: int
    calls: int
    now: int = 0  # links, within the current quota
    last_at: datetime | None = None  # when the last of the others can be checked, roughly; None: unknown
    denial: str = ""  # why nothing can run now


@dataclass(frozen=True, slots=True)
class Forecast:
    shares: tuple[QuotaShare, ...]
    local: int  # links that need no request

    @property
    def now(self) -> int:
        return self.local + sum(share.now for share in self.shares)

    @property
    def later(self) -> int:
        return sum(share.links - share.now for share in self.shares)

    @property
    def calls(self) -> int:
        return sum(share.calls for share in self.shares)

    @property
    def last_at(self) -> datetime | None:
        """When the last link can be checked, roughly; None if none has to wait, or the end is unknown."""
        waiting = [share.last_at for share in self.shares if share.links > share.now]
        return None if None in waiting else max(filter(None, waiting), default=None)

    @property
    def denials(self) -> list[str]:
        return [share.denial for share in self.shares if share.denial]


@dataclass(frozen=True, slots=True)
class _Window:
    """What a quota leaves for background work: now, and in each later window."""

    left: int
    each: int
    ends_at: datetime
    seconds: float

    def last_of(self, calls: int, now: datetime) -> datetime:
        """When the last of `calls` requests can be sent."""
        if calls <= self.left:
            return now
        windows = math.ceil((calls - self.left) / max(1, self.each))
        return self.ends_at + timedelta(seconds=self.seconds * (windows - 1))


def forecast(job: BulkJob) -> Forecast:
    """Costs a few queries per integration of the job."""
    now = timezone.now()
    left = job.parts.filter(done_at=None).order_by().values_list("integration")
    counted = {pk: (links, calls) for pk, links, calls in left.annotate(links=Sum("links"), calls=Count("pk"))}
    local, _parts = counted.pop(None, (0, 0))
    integrations = Integration.objects.in_bulk(counted)
    shares = [_share(job, integrations[pk], *counts, now) for pk, counts in counted.items()]
    return Forecast(tuple(sorted(shares, key=lambda share: share.integration.name)), local)


def _share(job: BulkJob, integration: Integration, links: int, calls: int, now: datetime) -> QuotaShare:
    if integration.keys_rejected:
        return QuotaShare(integration, links, calls, 0, integration.keys_retry_at, words_for(KEYS_REJECTED))
    limits = Limits.of(integration.pk)
    counted = quotas.windows(integration, CALL, limits.quotas, now=now)
    windows = [_window(quota) for quota in counted]
    left = min([window.left for window in windows], default=calls)
    last_at = max([window.last_of(calls, now) for window in windows], default=now)
    denial = limits.denial(CALL)
    if denial is None and not left:  # otherwise requests are only spread over the window
        denial = quotas.denial_of(counted, in_background=True)
    if denial is not None:
        after = max(denial.retry_at, last_at) if denial.retry_at else None
        return QuotaShare(integration, links, calls, 0, after, describe(denial, integration))
    return QuotaShare(integration, links, calls, links if calls <= left else _links_of(job, integration, left), last_at)


def _window(quota: CallQuota) -> _Window:
    each = quotas.machine_share(quota)
    return _Window(max(0, each - quota.used), each, quota.window_ends_at, quota.seconds)


def _links_of(job: BulkJob, integration: Integration, calls: int) -> int:
    parts = job.parts.filter(done_at=None, integration=integration).order_by("pk")
    links: Iterable[int] = parts.values_list("links", flat=True)[:calls]
    return sum(links)
