"""Saves what a report changes about a link, or a listed page of records about many.

That is the link's row, its change of state and the move in the counts. Of a page, only changed links are written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from linkadmin.compiled_query import CompiledQuery
from linkadmin.database import update_rows
from linkadmin.integrations.models import Integration
from linkadmin.links import account_managers, counts, unrecognized_values
from linkadmin.links.models import HealthChange, Institution, InstitutionChange, Link, LinkSearch, search_text
from linkadmin.links.models.institutions import institutions_named
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink

from .comparison import compare
from .rules import RENEW_WITHIN, AppliedReport, Report, Source, apply_record, apply_report

Understood = Callable[[Link, RemoteLink], RemoteLink]

AT_ONCE = 500  # links written in one transaction: others wait for it
_COLUMNS = [field.attname for field in Link._meta.concrete_fields if not field.primary_key]
# What a record tells us about its link.
_BESIDE = frozenset({"request_id", "last_accessed_at", "observation"})
_told_by = attrgetter(
    *(each.name for each in fields(RemoteLink) if each.name not in _BESIDE),
    *(f"observation.{each.name}" for each in fields(Observation) if each.name != "cause"),
    "observation.cause.value",
)


@dataclass(frozen=True, slots=True)
class Observed:
    """Result of a page: our links that it changed, and records of links we don't know."""

    written: int
    changed: int  # changed state, so they have a new history entry
    unknown_links: tuple[RemoteLink, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """A link with a report applied, how it was counted before, and an unrecognized value that is news."""

    link: Link
    applied: AppliedReport
    before: counts.CountKey | None
    word: unrecognized_values.Word | None = None


def _as_listed(_link: Link, remote: RemoteLink) -> RemoteLink:
    return remote


@transaction.atomic
def observe(link: Link, report: Report) -> HealthChange | None:
    """Returns the change of state, if any. Updates `link` in place."""
    lock(link)
    before, word = counts.key_of(link), unrecognized_values.news(link, report.observation)
    applied = apply_report(link, report)
    link.fingerprint = None  # apply the provider's record next time, whatever it says
    return save(link, applied, before=before, word=word, at=report.at)


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
    """`fingerprint` is that of the record as listed. Without it, the next list is applied whatever it says."""
    institution = _named_by(remote, link)  # before locking the link, as for a page: one lock order prevents deadlocks
    lock(link)
    report = Report(remote.observation, source, at, operation_id, remote.request_id)
    before, word = counts.key_of(link), unrecognized_values.news(link, report.observation)
    applied = apply_record(link, remote, report, institution=institution)
    link.fingerprint = fingerprint if link.observed_at == at else None  # it came too late: discard it
    return save(link, applied, before=before, word=word, at=at)


@transaction.atomic
def start_link(remote: RemoteLink, link: Link, report: Report) -> Link:
    link.health_since = report.at
    link.save(force_insert=True)
    account_managers.take_over([link])
    word = unrecognized_values.news(link, report.observation)
    save(link, apply_record(link, remote, report), before=None, word=word, at=report.at)
    LinkSearch.objects.create(link=link, text=search_text(link))
    return link


def observe_page(
    integration: Integration, remotes: Sequence[RemoteLink], *, at: datetime, understood: Understood = _as_listed
) -> Observed:
    """Apply a page of records, requested at `at`. Unchanged links aren't written.

    `understood` interprets a record for callers who know more than the list.
    """
    records = {remote.remote_id: remote for remote in remotes}
    prints = {remote_id: fingerprint_of(remote) for remote_id, remote in records.items()}
    found = compare(integration, prints, at=at)
    changed = 0
    for some in _batches(sorted(found.changed)):
        changed += _write(integration, {remote_id: records[remote_id] for remote_id in some}, prints, at, understood)
    unknown_links = tuple(remote for remote_id, remote in records.items() if remote_id in found.unknown)
    return Observed(len(found.changed), changed, unknown_links)


@transaction.atomic
def observe_same(prints: Mapping[UUID, int], *, at: datetime) -> set[UUID]:
    """Note that links were read at `at` and unchanged. Returns those for which that holds.

    The others, and those whose state also depends on time, must be applied one by one.
    """
    renewed_by = (at + RENEW_WITHIN).date()
    quiet = (
        Link.objects.filter(pk__in=prints, verifying_since=None, missing_since=None, observed_at__lt=at)
        .exclude(checked_at__gt=at)
        .exclude(health=HealthState.SETTING_UP.value)
        .exclude(health=HealthState.HEALTHY.value, stale_at__lte=at)
        .exclude(cause=Cause.WORKING.value, renew_by__lte=renewed_by)
    )
    rows = quiet.select_for_update(no_key=True).order_by("pk").values_list("pk", "fingerprint")
    same = {pk for pk, fingerprint in rows if fingerprint == prints[pk]}
    links = Link.objects.filter(pk__in=same)
    # As late as other reports: one about an earlier time may still arrive.
    checking_since = Case(When(checking_since__lte=at, then=Value(None)), default=F("checking_since"))
    links.update(
        checked_at=at, check_failed="", observed_at=at, observed_from=Source.LIST, checking_since=checking_since
    )
    return same


@transaction.atomic
def start_links(found: Sequence[tuple[Link, RemoteLink]], *, at: datetime, understood: Understood = _as_listed) -> None:
    updated: list[Updated] = []
    for link, listed in found:
        remote = understood(link, listed)
        word = unrecognized_values.news(link, remote.observation)
        link.health_since = at
        applied = apply_record(link, remote, Report(remote.observation, Source.LIST, at, request_id=remote.request_id))
        link.fingerprint = fingerprint_of(listed)
        updated.append(Updated(link, applied, None, word))
    Link.objects.bulk_create([each.link for each in updated])
    account_managers.take_over([each.link for each in updated])
    LinkSearch.objects.bulk_create([LinkSearch(link=each.link, text=search_text(each.link)) for each in updated])
    _note(updated, at)


@transaction.atomic(savepoint=False)
def start_verifying(link: Link, *, at: datetime, request_id: str) -> None:
    """The link isn't shown as working until a later read says so."""
    lock(link)
    before = counts.key_of(link)
    link.verifying_since = link.last_attempt_at = at
    link.refused_at = None
    link.request_id = request_id[:80]
    save(link, AppliedReport(accepted=True), before=before, at=at)


@transaction.atomic
def stop_verifying(link: Link, *, now: datetime) -> None:
    unproven_since = link.verifying_since
    lock(link)
    if link.verifying_since != unproven_since:
        return
    before = counts.key_of(link)
    link.verifying_since = None
    save(link, AppliedReport(accepted=True), before=before, at=now)


@transaction.atomic
def start_check(links: Iterable[UUID], *, at: datetime) -> None:
    Link.objects.filter(pk__in=_locked_in_order(links)).update(checking_since=at)


def note_failed_check(link: Link, *, why: str, at: datetime) -> None:
    """The link's state stays, and its age shows."""
    Link.objects.filter(pk=link.pk).update(checked_at=at, check_failed=why[:80], checking_since=None)


@transaction.atomic
def note_missing(links: Iterable[UUID], *, at: datetime) -> int:
    """Returns how many were listed before. Their state stays: a second check decides."""
    if not (links := list(links)):
        return 0
    return Link.objects.filter(pk__in=_locked_in_order(links), missing_since=None).update(missing_since=at)


def fingerprint_of(remote: RemoteLink) -> int:
    text = repr(_told_by(remote))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


def lock(link: Link) -> None:
    """Reread the row under a lock, so that reports about one link are applied one after the other."""
    found = _LOCKED.instances(link.pk)
    if not found:
        raise Link.DoesNotExist
    for column in Link._meta.concrete_fields:
        setattr(link, column.attname, getattr(found[0], column.attname))


_LOCKED = CompiledQuery(lambda pk: Link.objects.select_for_update(no_key=True).filter(pk=pk))


def _named_by(remote: RemoteLink, link: Link) -> Institution | None:
    if link.institution and link.institution.name == remote.institution:
        return link.institution
    if not remote.institution:
        return None
    return institutions_named(link.integration, {remote.institution})[remote.institution]


def _locked_in_order(links: Iterable[UUID]) -> list[UUID]:
    """Lock rows in the order everyone uses: a bulk UPDATE locks them in any order. SQLite locks everything."""
    if not connection.features.has_select_for_update:
        return list(links)
    rows = Link.objects.filter(pk__in=list(links)).order_by("pk").select_for_update(no_key=True)
    return list(rows.values_list("pk", flat=True))


def save(
    link: Link,
    applied: AppliedReport,
    *,
    before: counts.CountKey | None,
    at: datetime,
    word: unrecognized_values.Word | None = None,
) -> HealthChange | None:
    link.urgency = link.rank()
    link.save()
    _note([Updated(link, applied, before, word)], at)
    return applied.change


def _note(updated: Sequence[Updated], at: datetime) -> None:
    """Write what follows from saved links: history, counts and unrecognized values."""
    HealthChange.objects.bulk_create([each.applied.change for each in updated if each.applied.change])
    InstitutionChange.objects.bulk_create([each.applied.moved for each in updated if each.applied.moved])
    counts.note([(each.link, each.before) for each in updated], at=at)
    for each in updated:
        if each.applied.accepted and each.word is not None:
            unrecognized_values.count(each.link.integration, each.word, at=at, link=each.link)


@transaction.atomic
def _write(
    integration: Integration,
    records: Mapping[str, RemoteLink],
    prints: Mapping[str, int],
    at: datetime,
    understood: Understood,
) -> int:
    rows = Link.objects.select_related("institution").order_by("pk").select_for_update(of=("self",), no_key=True)
    named = institutions_named(integration, {each.institution for each in records.values() if each.institution})
    updated: list[Updated] = []
    loaded: list[tuple[Link, Mapping[str, object]]] = []  # with the link's attributes as stored
    for link in rows.filter(integration=integration, remote_id__in=list(records), disconnected_at=None):
        loaded.append((link, dict(vars(link))))
        link.integration = integration
        remote = understood(link, records[link.remote_id])
        before, word = counts.key_of(link), unrecognized_values.news(link, remote.observation)
        report = Report(remote.observation, Source.LIST, at, request_id=remote.request_id)
        applied = apply_record(link, remote, report, institution=named.get(remote.institution))
        # It came too late: the next list is applied whatever it says.
        link.fingerprint = prints[link.remote_id] if link.observed_at == at else None
        link.urgency = link.rank()
        updated.append(Updated(link, applied, before, word))
    changed = [name for name in _COLUMNS if any(getattr(link, name) != stored[name] for link, stored in loaded)]
    update_rows([link for link, _stored in loaded], changed)
    _note(updated, at)
    return sum(each.applied.change is not None for each in updated)


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
