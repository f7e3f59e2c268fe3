"""What a page of a provider's list makes of many links at once: only those that changed are written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import transaction

from linkadmin.integrations.models import Integration
from linkadmin.links import counts, unrecognized_values
from linkadmin.links.models import HealthChange, Link, LinkSearch, search_text
from linkadmin.links.models.institutions import institutions_named
from linkadmin.providers.types import Cause, HealthState, RemoteLink

from .rules import RENEW_WITHIN, Report, Source, take_remote
from .writer import fingerprint_of, save

Understood = Callable[[Link, RemoteLink], RemoteLink]

AT_ONCE = 200  # links written in one transaction: others wait for it


@dataclass(frozen=True, slots=True)
class Observed:
    """What a page brought: the links of ours that it changed, and records of links that we do not know."""

    written: int
    changed: int  # in state, so that they have a new entry in their history
    unknown_links: tuple[RemoteLink, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    pk: UUID
    fingerprint: int | None
    checking_since: datetime | None
    verifying_since: datetime | None
    missing_since: datetime | None

    def says_the_same(self, fingerprint: int, at: datetime) -> bool:
        """Tell whether a record brings nothing: it is as it was, and nobody waits for news of this link."""
        is_waited_for = self.verifying_since is not None or self.missing_since is not None
        # A read that began earlier may end later: the row has to tell that this is newer.
        is_overtaken = self.checking_since is not None and self.checking_since <= at
        return self.fingerprint == fingerprint and not is_waited_for and not is_overtaken


def _as_listed(_link: Link, remote: RemoteLink) -> RemoteLink:
    return remote


def observe_page(
    integration: Integration, remotes: Sequence[RemoteLink], *, at: datetime, understood: Understood = _as_listed
) -> Observed:
    """Take a page of a provider's records into account, asked for at `at`; what did not change is not written.

    `understood` tells what a record says of a link to who knows more than the list.
    """
    records = {remote.remote_id: remote for remote in remotes}
    prints = {remote_id: fingerprint_of(remote) for remote_id, remote in records.items()}
    known = _known(integration, records)
    news = sorted(
        (row.pk, remote_id) for remote_id, row in known.items() if not row.says_the_same(prints[remote_id], at)
    )
    changed = 0
    for batch in _batches([remote_id for _pk, remote_id in news]):
        some = {remote_id: records[remote_id] for remote_id in batch}
        changed += _write(integration, some, prints, at, understood)
    unknown_links = tuple(remote for remote_id, remote in records.items() if remote_id not in known)
    return Observed(len(news), changed, unknown_links)


@transaction.atomic
def observe_same(prints: Mapping[UUID, int], *, at: datetime) -> set[UUID]:
    """Note that links were read at `at` and say what they said before; return those of which that is true.

    The others, and those whose state also depends on the time, have to be taken into account one by one.
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
    # As late as any other report: one about an earlier moment may still be on its way.
    links.update(checked_at=at, check_failed="", observed_at=at, observed_from=Source.LIST)
    links.filter(checking_since__lte=at).update(checking_since=None)
    return same


@transaction.atomic
def start_links(found: Sequence[tuple[Link, RemoteLink]], *, at: datetime, understood: Understood = _as_listed) -> None:
    """Save links that came into being elsewhere, with their first state and the words they are found by."""
    words: list[tuple[Link, unrecognized_values.Word | None]] = []
    changes: list[HealthChange] = []
    for link, listed in found:
        remote = understood(link, listed)
        words.append((link, unrecognized_values.news(link, remote.observation)))
        link.health_since = at
        taking = take_remote(link, remote, Report(remote.observation, Source.LIST, at, request_id=remote.request_id))
        link.fingerprint = fingerprint_of(listed)
        changes += [taking.change] if taking.change else []
    Link.objects.bulk_create([link for link, _remote in found])
    LinkSearch.objects.bulk_create([LinkSearch(link=link, text=search_text(link)) for link, _remote in found])
    HealthChange.objects.bulk_create(changes)
    counts.add([link for link, _remote in found], at=at)
    for link, word in words:
        if word is not None:
            unrecognized_values.count(link.integration.provider, word, at=at, link=link)


@transaction.atomic
def _write(
    integration: Integration,
    records: Mapping[str, RemoteLink],
    prints: Mapping[str, int],
    at: datetime,
    understood: Understood,
) -> int:
    rows = Link.objects.select_related("integration", "end_user", "institution").order_by("pk")
    locked = rows.select_for_update(of=("self",), no_key=True)
    named = institutions_named(integration, {each.institution for each in records.values() if each.institution})
    changed = 0
    for link in locked.filter(integration=integration, remote_id__in=records, disconnected_at=None):
        remote = understood(link, records[link.remote_id])
        before, word = link.shown_state, unrecognized_values.news(link, remote.observation)
        report = Report(remote.observation, Source.LIST, at, request_id=remote.request_id)
        taking = take_remote(link, remote, report, institution=named.get(remote.institution))
        # Of a record that came too late, nothing stays: the next list is looked at whatever it says.
        link.fingerprint = prints[link.remote_id] if link.observed_at == at else None
        changed += save(link, taking, before=before, word=word, at=at) is not None
    return changed


def _known(integration: Integration, records: Mapping[str, RemoteLink]) -> dict[str, _Known]:
    columns = ("remote_id", "pk", "fingerprint", "checking_since", "verifying_since", "missing_since")
    known: dict[str, _Known] = {}
    for batch in _batches(list(records)):
        rows = Link.objects.filter(integration=integration, remote_id__in=batch, disconnected_at=None)
        known |= {remote_id: _Known(*rest) for remote_id, *rest in rows.values_list(*columns)}
    return known


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
