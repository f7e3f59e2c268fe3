"""How a report about a link changes its state. Nothing here uses the database; `writer.py` saves the result.

The rules (`causes` lists the causes and their states):

1. Newer wins. A report about an earlier time than what we know changes nothing.
2. After a rejected attempt, a record that merely says "works" proves nothing. Only good data newer than the rejection
   does. If the bank locked the account, a record that only asks for a sign-in changes nothing either.
3. If data is older than its provider keeps it fresh, "works" becomes "no new data".
4. A consent that expires within two weeks is flagged while the link still works.
5. A link without any data a day after it was created is no longer "setting up".
6. A provider that says "works" but reports a problem is believed as long as data arrives: a successful sync after the
   problem was first reported, at most three days ago. Otherwise the problem counts.
7. Accounts removed from a consent are back once a sync brings their data. A mere "works" isn't enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from linkadmin.links.causes import VERDICTS, Turn
from linkadmin.links.models import HealthChange, Institution, InstitutionChange, Link
from linkadmin.providers.types import Cause, HealthState, Observation, RemoteLink

Source = HealthChange.Source
WORKS = HealthState.HEALTHY
PROOF_LAG = timedelta(seconds=60)  # how long a provider's records may lag behind an accepted repair
CLOCK_SKEW = timedelta(seconds=60)  # between the provider's clock and ours
RENEW_WITHIN = timedelta(days=14)
FIRST_DATA_WITHIN = timedelta(days=1)
BELIEVED_FOR = timedelta(days=3)  # after its last sync, if a provider reports conflicting status
WITHOUT_ACCOUNTS = frozenset({Cause.NO_ACCOUNTS, Cause.NO_PAYMENT_ACCOUNTS, Cause.ACCESS_PARTIAL})
# Whom to believe about the same time: the response to our own call, then a webhook, then a list.
CLOSER: Mapping[str, tuple[str, ...]] = {
    Source.CALL: (),
    Source.WEBHOOK: (Source.CALL,),
    Source.LIST: (Source.CALL, Source.WEBHOOK),
    Source.CLOCK: (Source.CALL, Source.WEBHOOK, Source.LIST),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One fact about a link: what, from whom, and when it was true."""

    observation: Observation
    source: Source
    at: datetime
    operation_id: UUID | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AppliedReport:
    """The result of a report: whether it was news, and the changes it made (not saved yet)."""

    accepted: bool
    change: HealthChange | None = None
    moved: InstitutionChange | None = None


def apply_report(link: Link, report: Report) -> AppliedReport:
    report = replace(report, observation=_plausible(report.observation, report.at))
    if report.source is Source.LIST:
        link.checked_at, link.check_failed = max(filter(None, [link.checked_at, report.at])), ""
    if link.checking_since is not None and report.at >= link.checking_since:
        link.checking_since = None
    if is_older(link, report):
        return AppliedReport(accepted=False)
    said = report.observation
    report = replace(report, observation=_weighed(link, report))
    if _proves_nothing(link, report):
        # The rejection's message stays: it's still the last thing we know.
        link.raw_status = report.observation.raw_status[:60]
        link.observed_at, link.observed_from = report.at, report.source
        return AppliedReport(accepted=False)
    is_first = link.observed_at is None
    code_since = _code_since(link, report)
    _take_facts(link, report)
    link.code_since, link.code_cause = code_since, said.cause.value if said.conflict else ""
    if report.observation.cause is Cause.WORKING_WITH_ERROR and link.last_good_at is not None:
        believed_until = link.last_good_at + BELIEVED_FOR
        link.stale_at = min(filter(None, [link.stale_at, believed_until]))
    return AppliedReport(accepted=True, change=set_state(link, report, is_first=is_first))


def apply_record(
    link: Link, remote: RemoteLink, report: Report, *, institution: Institution | None = None
) -> AppliedReport:
    """`institution` is the one the record names."""
    if is_older(link, report):
        return apply_report(link, report)
    moved = _move(link, institution, at=report.at)
    link.missing_since = None
    _take_record(link, remote)
    seen = _plausible(report.observation, report.at)
    if _tells_freshness(remote):
        link.stale_at = _stale_at(seen.last_good_at or link.last_good_at, remote.fresh_for)
    return replace(apply_report(link, report), moved=moved)


def set_state(link: Link, report: Report, *, is_first: bool = False) -> HealthChange | None:
    cause = _cause_of(link, report)
    state = VERDICTS[cause].state
    if report.source is Source.CALL:
        link.refused_at = None if state in (WORKS, HealthState.SETTING_UP) else report.at
    elif state is WORKS:
        link.refused_at = None
    if _ends_proof(link, state, report):
        link.verifying_since = None
    old, old_cause = link.health, link.cause
    link.health, link.cause = state.value, cause.value
    if cause is Cause.REMOVED:  # it blocks nothing any more: the same connection may be created again
        link.disconnected_at = link.disconnected_at or report.at
    if old != link.health:
        link.health_since = report.at
    link.urgency = link.rank()
    if old == link.health and old_cause == link.cause and not is_first:
        return None
    return HealthChange(
        link=link,
        at=report.at,
        source=report.source,
        old="" if is_first else old,
        new=link.health,
        cause=link.cause,
        raw_status=link.raw_status,
        raw_code=link.raw_code,
        raw_words=link.raw_words,
        operation_id=report.operation_id,
    )


def as_known(link: Link, cause: Cause) -> Observation:
    return Observation(
        cause=cause,
        raw_status=link.raw_status,
        raw_code=link.raw_code,
        raw_words=link.raw_words,
        last_good_at=link.last_good_at,
        renew_by=link.renew_by,
        conflict=link.conflict,
    )


def aged(link: Link) -> Cause:
    """The cause of a link reported as working once its data is too old."""
    return Cause(link.code_cause) if link.conflict and link.code_cause else Cause.STALE


def renews_soon(link: Link, at: datetime) -> bool:
    return link.renew_by is not None and link.renew_by <= (at + RENEW_WITHIN).date()


def is_older(link: Link, report: Report) -> bool:
    if link.observed_at is None or report.at > link.observed_at:
        return False
    return report.at < link.observed_at or link.observed_from in CLOSER[report.source]


def _cause_of(link: Link, report: Report) -> Cause:
    cause = report.observation.cause
    verdict = VERDICTS[cause]
    if verdict.state is WORKS and link.stale_at is not None and link.stale_at <= report.at:
        return aged(link)
    if cause is Cause.WORKING and renews_soon(link, report.at):
        return Cause.RENEW_SOON
    waits_for_data = verdict.state is HealthState.SETTING_UP and verdict.turn is Turn.PROVIDER
    began_at = link.remote_created_at or link.created_at
    if waits_for_data and link.last_good_at is None and began_at + FIRST_DATA_WITHIN <= report.at:
        return Cause.NEVER_SYNCED
    return cause


def _plausible(seen: Observation, at: datetime) -> Observation:
    # A report can't know of data newer than itself.
    latest = at + CLOCK_SKEW
    return seen if seen.last_good_at is None or seen.last_good_at <= latest else replace(seen, last_good_at=latest)


def _code_since(link: Link, report: Report) -> datetime | None:
    code = report.observation.raw_code[:80]
    if not code:
        return None
    return link.code_since if code == link.raw_code and link.code_since else report.at


def _weighed(link: Link, report: Report) -> Observation:
    """Resolve a conflicting report: either its problem, or "works" with the problem beside it."""
    seen, since = report.observation, _code_since(link, report)
    good = max(filter(None, [seen.last_good_at, link.last_good_at]), default=None)
    if not seen.conflict or since is None or good is None:
        return seen
    is_fresh = good > since and good > report.at - BELIEVED_FOR
    return replace(seen, cause=Cause.WORKING_WITH_ERROR) if is_fresh else seen


def _move(link: Link, institution: Institution | None, *, at: datetime) -> InstitutionChange | None:
    if institution is None or institution.pk == link.institution_id:
        return None
    before, link.institution = link.institution, institution
    return InstitutionChange(link=link, at=at, old=before, new=institution) if before else None


def _take_record(link: Link, remote: RemoteLink) -> None:
    """Empty values clear ours, missing ones don't."""
    facts = {
        "access_mode": ("access_mode", remote.access_mode),
        "refresh_rate": ("refresh_rate", remote.refresh_rate),
        "storage": ("storage", remote.storage),
        "stale_in": ("stale_in", remote.stale_in),
        "resources": ("resources", list(remote.resources)),
        "kind": ("remote_kind", remote.kind),
        "data_source_id": ("data_source_id", remote.data_source_id),
        "external_id": ("remote_end_user_id", remote.external_id),
        "created_by": ("remote_created_by", remote.created_by),
        "created_at": ("remote_created_at", remote.created_at),
        "updated_at": ("remote_updated_at", remote.updated_at),
    }
    for name, (column, value) in facts.items():
        if value or name in remote.cleared:
            setattr(link, column, value)


def _tells_freshness(remote: RemoteLink) -> bool:
    # A bare ID says nothing about how long data stays fresh.
    says_when = remote.fresh_for is not None or remote.observation.last_good_at is not None
    return says_when or "refresh_rate" in remote.cleared


def _stale_at(good: datetime | None, fresh_for: timedelta | None) -> datetime | None:
    try:
        return good + fresh_for if good and fresh_for else None
    except OverflowError:  # beyond the year 9999
        return None


def _proves_nothing(link: Link, report: Report) -> bool:
    """Whether a record says "works" while something newer than its data says otherwise.

    That is a rejected attempt, or a consent without accounts: a customer who signs in again may have shared none. A
    record without a code doesn't unlock an account that the bank locked either: it would invite another attempt.
    """
    if link.refused_at is not None and _is_mere_status(link, report):
        return True
    lacks_accounts = Cause(link.cause) in WITHOUT_ACCOUNTS
    since = link.refused_at or ((link.code_since or link.health_since) if lacks_accounts else None)
    if report.source is Source.CALL or since is None:
        return False
    if VERDICTS[report.observation.cause].state is not WORKS:
        return False
    good = report.observation.last_good_at
    return good is None or good <= since


def _is_mere_status(link: Link, report: Report) -> bool:
    at_bank = VERDICTS[Cause(link.cause)].state is HealthState.CUSTOMER_BANK
    asks_for_one = VERDICTS[report.observation.cause].state in (HealthState.CUSTOMER_LOGIN, HealthState.CUSTOMER_CODE)
    return report.source is Source.LIST and at_bank and asks_for_one and not report.observation.raw_code


def _take_facts(link: Link, report: Report) -> None:
    seen = report.observation
    link.observed_at, link.observed_from = report.at, report.source
    link.raw_status = (seen.raw_status or link.raw_status)[:60]
    link.raw_code = seen.raw_code[:80]
    link.raw_words = seen.raw_words[:500]
    link.request_id = (report.request_id or link.request_id)[:80]
    link.conflict = seen.conflict
    link.renew_by = seen.renew_by if seen.renewal_known else seen.renew_by or link.renew_by
    link.last_good_at = max(filter(None, [seen.last_good_at, link.last_good_at]), default=None)
    if report.source is Source.CALL:
        link.last_attempt_at = report.at


def _ends_proof(link: Link, state: HealthState, report: Report) -> bool:
    """A later "works" verifies a repair. A newer rejection by the bank disproves it.

    A read that still shows the old rejection counts only once the provider's records have had time to follow. Old data
    neither verifies nor disproves.
    """
    if link.verifying_since is None or report.at < link.verifying_since:
        return False
    if state is HealthState.DISCONNECTED:  # a disconnected link can't be repaired
        return True
    if report.source is not Source.LIST:
        return report.source is not Source.CLOCK
    if state in (HealthState.SETTING_UP, HealthState.STALE):
        return False
    return state is WORKS or report.at > link.verifying_since + PROOF_LAG
