"""The only writer of a link's health: what was observed, from whom and when, becomes one state.

Three rules decide (the causes and their states are in causes.py):

1. Newer wins. A report about an earlier moment than what is known changes nothing.
2. After a refused attempt, a record that merely says "works" proves nothing: only good data newer than it does.
3. Data older than its provider keeps it fresh turns "works" into "says it works, but no new data".
4. A permission that ends within two weeks is asked for again while the link still works.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink

from . import unknown
from .causes import VERDICTS
from .models import HealthChange, Integration, Link, LinkSearch, search_text

Source = HealthChange.Source
WORKS = HealthState.HEALTHY
SETTING_UP_EAGERLY = timedelta(minutes=10)
PROOF_LAG = timedelta(seconds=60)  # so long may a provider's records lag behind an accepted repair
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours
RENEW_WITHIN = timedelta(days=14)
# Who is believed more about the same moment: an answer to our own call before a message, and that before a list.
CLOSER = {
    Source.CALL: (),
    Source.WEBHOOK: (Source.CALL,),
    Source.LIST: (Source.CALL, Source.WEBHOOK),
    Source.CLOCK: (Source.CALL, Source.WEBHOOK, Source.LIST),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One thing learnt about one link: what, from whom, and when it was true."""

    observation: Observation
    source: Source
    at: datetime
    operation_id: UUID | None = None
    request_id: str = ""


@transaction.atomic
def observe(link: Link, report: Report) -> HealthChange | None:
    """Take a report into account; return the change of state it made, if any. Updates `link` in place."""
    _lock(link)
    report = replace(report, observation=_plausible(report.observation, report.at))
    if report.source is Source.LIST:
        link.asked_at, link.ask_failed = max(filter(None, [link.asked_at, report.at])), ""
    if _is_older(link, report):
        link.save(update_fields=["asked_at", "ask_failed"])
        return None
    if _proves_nothing(link, report):
        # What the refusal said stays: it is still the last thing known.
        link.observed_at, link.raw_status = report.at, report.observation.raw_status[:60]
        link.save(update_fields=["asked_at", "ask_failed", "observed_at", "raw_status"])
        return None
    unknown.note(link, report.observation, at=report.at)
    _take_facts(link, report)
    return _become(link, report)


@transaction.atomic
def observe_remote(
    link: Link, remote: RemoteLink, *, source: Source, at: datetime, operation_id: UUID | None = None
) -> HealthChange | None:
    """Take a provider's record of a link into account: its facts and what they say about its health."""
    _lock(link)
    link.access_mode = remote.access_mode or link.access_mode
    link.refresh_rate = remote.refresh_rate or link.refresh_rate
    link.storage = remote.storage or link.storage
    link.stale_in = remote.stale_in or link.stale_in
    link.resources = list(remote.resources) or link.resources
    link.remote_kind = remote.kind or link.remote_kind
    link.data_source_id = remote.data_source_id or link.data_source_id
    link.remote_created_at = remote.created_at or link.remote_created_at
    report = Report(_plausible(remote.observation, at), source, at, operation_id, remote.request_id)
    if _tells_freshness(remote) and not _is_older(link, report):
        link.stale_at = _stale_at(report.observation.last_good_at or link.last_good_at, remote.fresh_for)
    link.save()
    return observe(link, report)


@transaction.atomic
def begin_proving(link: Link, *, at: datetime, request_id: str) -> None:
    """Note that a repair was accepted at `at`: the link is not green before a later read says so."""
    _lock(link)
    link.proving_since = link.last_attempt_at = at
    link.refused_at = None
    link.request_id = request_id[:80]
    link.attention = link.rank()
    link.save(update_fields=["proving_since", "last_attempt_at", "refused_at", "request_id", "attention"])


@transaction.atomic
def give_up_proving(link: Link) -> None:
    """Put a repaired link for which no proof came back into the work list, unless it was repaired anew meanwhile."""
    unproven_since = link.proving_since
    _lock(link)
    if link.proving_since != unproven_since:
        return
    link.proving_since = None
    link.attention = link.rank()
    link.save(update_fields=["proving_since", "attention"])


def note_unasked(link: Link, *, why: str, at: datetime) -> None:
    """Note that a link could not be asked about: its state stays, and its age shows."""
    Link.objects.filter(pk=link.pk).update(asked_at=at, ask_failed=why[:80])


@transaction.atomic
def grow_stale(link: Link, *, now: datetime) -> HealthChange | None:
    """Turn a link that says it works into a stale one when its data is older than it should be."""
    _lock(link)
    if HealthState(link.health) is not WORKS or link.stale_at is None or link.stale_at > now:
        return None
    return _become(link, Report(_as_known(link, Cause.STALE), Source.CLOCK, now))


@transaction.atomic
def ask_to_renew(link: Link, *, now: datetime) -> HealthChange | None:
    """Say of a link that works that its permission ends soon."""
    _lock(link)
    if link.cause != Cause.WORKING or not _renews_soon(link, now):
        return None
    return _become(link, Report(_as_known(link, Cause.WORKING), Source.CLOCK, now))


@transaction.atomic
def start_link(remote: RemoteLink, link: Link, report: Report) -> Link:
    """Save a link that came into being, with its first state and the words it is found by."""
    link.health_since = report.at
    link.save(force_insert=True)
    LinkSearch.objects.create(link=link, text=search_text(link))
    observe_remote(link, remote, source=report.source, at=report.at, operation_id=report.operation_id)
    return link


def unproven(*, asked_before: datetime, now: datetime) -> "QuerySet[Link, UUID]":
    """Return the ids of links, repaired or just begun, that can be asked about and were not since a moment.

    One that has been set up for long is asked about less and less eagerly.
    """
    askable = Integration.objects.askable(now=now)
    new = Q(health=HealthState.SETTING_UP)
    eager = Q(proving_since__isnull=False) | (new & Q(health_since__gt=now - SETTING_UP_EAGERLY))
    quiet = eager & (Q(asked_at=None) | Q(asked_at__lt=asked_before))
    patient = new & Q(asked_at__lt=now - SETTING_UP_EAGERLY)
    waiting = Link.objects.filter(quiet | patient, ended_at=None, integration__in=askable)
    return waiting.values_list("pk", flat=True)


def proof_overdue(*, proving_before: datetime) -> "QuerySet[Link]":
    """Return the links that were repaired before a moment and are not proven yet, whether they can be asked or not."""
    return Link.objects.filter(proving_since__lt=proving_before, ended_at=None)


def grown_stale(*, now: datetime) -> "QuerySet[Link, UUID]":
    """Return the ids of links that say they work although their data is older than it should be."""
    return Link.objects.filter(health=WORKS, stale_at__lte=now, ended_at=None).values_list("pk", flat=True)


def ending_permissions(*, now: datetime) -> "QuerySet[Link]":
    """Return the links that plainly work and whose permission ends soon."""
    return Link.objects.filter(cause=Cause.WORKING, renew_by__lte=(now + RENEW_WITHIN).date(), ended_at=None)


def _lock(link: Link) -> None:
    """Read the row again under a lock, so that two reports about one link come one after the other."""
    rows = Link.objects.select_related("integration", "end_user", "institution")
    fresh = rows.select_for_update(of=("self",), no_key=True).get(pk=link.pk)
    for column in Link._meta.concrete_fields:
        setattr(link, column.attname, getattr(fresh, column.attname))


def _plausible(seen: Observation, at: datetime) -> Observation:
    """Return what was seen, with no data from a future that its report could not know."""
    latest = at + CLOCK_SKEW
    return seen if seen.last_good_at is None or seen.last_good_at <= latest else replace(seen, last_good_at=latest)


def _tells_freshness(remote: RemoteLink) -> bool:
    """Tell whether a record is more than an answer's mere id, and so says how long its data stays fresh."""
    return remote.fresh_for is not None or remote.observation.last_good_at is not None


def _stale_at(good: datetime | None, fresh_for: timedelta | None) -> datetime | None:
    try:
        return good + fresh_for if good and fresh_for else None
    except OverflowError:  # beyond the year 9999
        return None


def _is_older(link: Link, report: Report) -> bool:
    if link.observed_at is None or report.at > link.observed_at:
        return False
    return report.at < link.observed_at or link.changes.filter(at=report.at, source__in=CLOSER[report.source]).exists()


def _proves_nothing(link: Link, report: Report) -> bool:
    """Tell whether a record says "works" while the last attempt, newer than its data, was refused."""
    if report.source is Source.CALL or link.refused_at is None:
        return False
    if VERDICTS[report.observation.cause].state is not WORKS:
        return False
    good = report.observation.last_good_at
    return good is None or good <= link.refused_at


def _take_facts(link: Link, report: Report) -> None:
    seen = report.observation
    link.observed_at = report.at
    link.raw_status = (seen.raw_status or link.raw_status)[:60]
    link.raw_code = seen.raw_code[:80]
    link.raw_words = seen.raw_words[:500]
    link.request_id = (report.request_id or link.request_id)[:80]
    link.conflict = seen.conflict
    link.renew_by = seen.renew_by or link.renew_by
    link.last_good_at = max(filter(None, [seen.last_good_at, link.last_good_at]), default=None)
    if report.source is Source.CALL:
        link.last_attempt_at = report.at


def _become(link: Link, report: Report) -> HealthChange | None:
    cause = report.observation.cause
    if VERDICTS[cause].state is WORKS and link.stale_at is not None and link.stale_at <= report.at:
        cause = Cause.STALE
    elif cause is Cause.WORKING and _renews_soon(link, report.at):
        cause = Cause.RENEW_SOON
    state = VERDICTS[cause].state
    if report.source is Source.CALL:
        link.refused_at = None if state in (WORKS, HealthState.SETTING_UP) else report.at
    elif state is WORKS:
        link.refused_at = None
    if _ends_proof(link, state, report):
        link.proving_since = None
    old, old_cause = link.health, link.cause
    link.health, link.cause = state.value, cause.value
    if cause is Cause.REMOVED:  # it stands in nobody's way any more: the same one may be connected again
        link.ended_at = link.ended_at or report.at
    link.attention = link.rank()
    if old == link.health and old_cause == link.cause and link.changes.exists():
        link.save()
        return None
    if old != link.health:
        link.health_since = report.at
    link.save()
    return HealthChange.objects.create(
        link=link,
        at=report.at,
        source=report.source,
        old=old if link.changes.exists() else "",
        new=link.health,
        cause=link.cause,
        raw_status=link.raw_status,
        raw_code=link.raw_code,
        raw_words=link.raw_words,
        operation_id=report.operation_id,
    )


def _renews_soon(link: Link, at: datetime) -> bool:
    return link.renew_by is not None and link.renew_by <= (at + RENEW_WITHIN).date()


def _ends_proof(link: Link, state: HealthState, report: Report) -> bool:
    """A repair is proven by a read after it that says "works", and disproven by a newer refusal of the bank.

    A read that finds it refused still, disproves it only once the provider's records had time to follow. One that finds
    old data neither proves nor disproves.
    """
    if link.proving_since is None or report.at < link.proving_since:
        return False
    if report.source is not Source.LIST:
        return report.source is not Source.CLOCK
    if state in (HealthState.SETTING_UP, HealthState.STALE):
        return False
    return state is WORKS or report.at > link.proving_since + PROOF_LAG


def _as_known(link: Link, cause: Cause) -> Observation:
    return Observation(
        cause=cause,
        raw_status=link.raw_status,
        raw_code=link.raw_code,
        raw_words=link.raw_words,
        last_good_at=link.last_good_at,
        renew_by=link.renew_by,
        conflict=link.conflict,
    )
