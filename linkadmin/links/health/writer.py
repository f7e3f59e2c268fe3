"""What a report makes of one link, saved: its row, the change of its state, the move in the counts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from django.db import transaction

from linkadmin.links import counts, unrecognized_values
from linkadmin.links.models import HealthChange, Institution, Link, LinkSearch, search_text
from linkadmin.links.models.institutions import institutions_named
from linkadmin.providers.types import RemoteLink

from .rules import Report, Source, Taking, take, take_remote


@transaction.atomic
def observe(link: Link, report: Report) -> HealthChange | None:
    """Take a report into account; return the change of state it made, if any. Updates `link` in place."""
    lock(link)
    before, word = link.shown_state, unrecognized_values.news(link, report.observation)
    taking = take(link, report)
    link.fingerprint = None  # whatever the provider's record says, it is looked at again
    return save(link, taking, before=before, word=word, at=report.at)


@transaction.atomic
def observe_remote(
    link: Link,
    remote: RemoteLink,
    *,
    source: Source,
    at: datetime,
    operation_id: UUID | None = None,
    fingerprint: int | None = None,
) -> HealthChange | None:
    """Take a provider's record of a link into account: its facts and what they say about its health.

    `fingerprint` is that of the record as it is listed; without it, the next list is looked at whatever it says.
    """
    institution = _named_by(remote, link)  # before the link is locked, as for a page: one order, so no deadlock
    lock(link)
    report = Report(remote.observation, source, at, operation_id, remote.request_id)
    before, word = link.shown_state, unrecognized_values.news(link, report.observation)
    taking = take_remote(link, remote, report, institution=institution)
    link.fingerprint = fingerprint if link.observed_at == at else None  # of one that came too late, nothing stays
    return save(link, taking, before=before, word=word, at=at)


@transaction.atomic
def start_link(remote: RemoteLink, link: Link, report: Report) -> Link:
    """Save a link that came into being, with its first state and the words it is found by."""
    link.health_since = report.at
    link.save(force_insert=True)
    word = unrecognized_values.news(link, report.observation)
    save(link, take_remote(link, remote, report), before="", word=word, at=report.at)
    LinkSearch.objects.create(link=link, text=search_text(link))
    return link


@transaction.atomic
def start_verifying(link: Link, *, at: datetime, request_id: str) -> None:
    """Note that a repair was accepted at `at`: the link is not green before a later read says so."""
    lock(link)
    before = link.shown_state
    link.verifying_since = link.last_attempt_at = at
    link.refused_at = None
    link.request_id = request_id[:80]
    save(link, Taking(accepted=True), before=before, at=at)


@transaction.atomic
def stop_verifying(link: Link, *, now: datetime) -> None:
    """Put a repaired link for which no proof came back into the work list, unless it was repaired anew meanwhile."""
    unproven_since = link.verifying_since
    lock(link)
    if link.verifying_since != unproven_since:
        return
    before = link.shown_state
    link.verifying_since = None
    save(link, Taking(accepted=True), before=before, at=now)


@transaction.atomic
def start_check(links: Iterable[UUID], *, at: datetime) -> None:
    """Note that these links are being read: what a list says later is newer than what these reads will say."""
    Link.objects.filter(pk__in=_locked_in_order(links)).update(checking_since=at)


def note_unasked(link: Link, *, why: str, at: datetime) -> None:
    """Note that a link could not be asked about: its state stays, and its age shows."""
    Link.objects.filter(pk=link.pk).update(checked_at=at, check_failed=why[:80], checking_since=None)


@transaction.atomic
def note_missing(links: Iterable[UUID], *, at: datetime) -> int:
    """Note that these links were not in the provider's list; return how many were not missing before.

    Its state stays: a second look decides.
    """
    return Link.objects.filter(pk__in=_locked_in_order(links), missing_since=None).update(missing_since=at)


def fingerprint_of(remote: RemoteLink) -> int:
    """Return a number that stays the same while a provider's record does."""
    text = repr(replace(remote, request_id=""))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


def lock(link: Link) -> None:
    """Read the row again under a lock, so that two reports about one link come one after the other."""
    rows = Link.objects.select_related("integration", "end_user", "institution")
    fresh = rows.select_for_update(of=("self",), no_key=True).get(pk=link.pk)
    for column in Link._meta.concrete_fields:
        setattr(link, column.attname, getattr(fresh, column.attname))


def _named_by(remote: RemoteLink, link: Link) -> Institution | None:
    """Return the institution that a record names, made if need be; None if it names none."""
    if link.institution and link.institution.name == remote.institution:
        return link.institution
    if not remote.institution:
        return None
    return institutions_named(link.integration, {remote.institution})[remote.institution]


def _locked_in_order(links: Iterable[UUID]) -> list[UUID]:
    """Lock rows in the order in which all others do: one UPDATE of many takes them as they come."""
    rows = Link.objects.filter(pk__in=list(links)).order_by("pk").select_for_update(no_key=True)
    return list(rows.values_list("pk", flat=True))


def save(
    link: Link, taking: Taking, *, before: str, at: datetime, word: unrecognized_values.Word | None = None
) -> HealthChange | None:
    """Save what became of a locked link, with the change of its state and the move in the counts."""
    link.urgency = link.rank()
    link.save()
    if taking.accepted and word is not None:
        unrecognized_values.count(link.integration.provider, word, at=at, link=link)
    if taking.change is not None:
        taking.change.save()
    if taking.moved is not None:
        taking.moved.save()
    counts.move(link, before=before, at=at)
    return taking.change
