"""A link of the demo world as a whole: the facts of its part and history, as rows of ours and records of theirs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from string import ascii_letters, digits
from typing import Any
from uuid import UUID

from linkadmin.accounts.models import User
from linkadmin.integrations.models import Integration
from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import EndUser, HealthChange, Institution, Link
from linkadmin.operations.challenges import AskedAgain
from linkadmin.operations.models import Operation, OperationKind
from linkadmin.providers.heron.plaid_codes import cause_of
from linkadmin.providers.types import Cause, HealthState
from linkadmin.simulator.belvo.institutions import INSTITUTIONS

from .casting import Scene, id_of
from .histories import History, PastAct, history_of
from .names import OWNERS
from .scenarios import BELVO, HERON

ITEM_ID_LENGTH = 37
RENEWS_WITHIN = (4, 12)  # days
CONSENT_LASTS = timedelta(days=365)
RESOURCES_FETCHED = 3


@dataclass(frozen=True, slots=True)
class Life:
    """What there is to know about one link on the day of the first start."""

    part: Scene
    history: History
    remote_id: str
    data_source_id: str
    assignee: str
    began: datetime
    remote_created_at: datetime
    last_good_at: datetime | None
    observed_at: datetime
    checked_at: datetime
    renews_in: timedelta | None

    @property
    def id(self) -> UUID:
        return id_of("link", self.part.number)

    @property
    def stale_at(self) -> datetime | None:
        fresh_for = self.part.fresh_for
        return self.last_good_at + fresh_for if self.last_good_at and fresh_for else None


@dataclass(frozen=True, slots=True)
class Cast:
    """The rows that those of links refer to, by the names they have in the demo world."""

    staff: Mapping[str, User]
    integrations: Mapping[str, Integration]
    institutions: Mapping[str, Institution]
    end_users: Mapping[str, EndUser]


def live(part: Scene, *, now: datetime, rng: Random) -> Life:
    """Make up a link's life. What it says of the present is what a fresh read of its provider would say."""
    scenario = part.scenario
    state = VERDICTS[scenario.cause].state
    works = state is HealthState.HEALTHY
    since = now - _days(rng, *scenario.since)
    if part.is_first_repair:
        since = now - timedelta(days=scenario.since[1], hours=6)  # longer than any other code is waited for
    began = since - timedelta(hours=1) if scenario.is_new else now - _days(rng, 36, 74)
    remote_created_at = since - timedelta(days=scenario.storage_days) if scenario.storage_days else began
    began = max(began, remote_created_at)
    plainly_works = scenario.cause is Cause.WORKING
    history = history_of(part, began=began, since=None if plainly_works else since, now=now, rng=rng)
    if not history.creator and not scenario.storage_days:
        remote_created_at = began - _days(rng, 1, 250)  # a consent lasts a year
    quiet = now - history.changes[-1].at
    checked_at = now - timedelta(seconds=rng.randint(60, int(min(quiet, timedelta(hours=10)).total_seconds())))
    return Life(
        part=part,
        history=history,
        remote_id=_remote_id(part, rng),
        data_source_id=f"dso_{rng.getrandbits(88):022x}" if scenario.provider == HERON else "",
        assignee=history.creator or (rng.choice(OWNERS) if rng.random() < 0.1 else ""),
        began=began,
        remote_created_at=remote_created_at,
        last_good_at=_last_good_at(history, until=now if works else since, rng=rng),
        observed_at=since if scenario.refusal else checked_at,
        checked_at=since - _days(rng, 0.1, 0.4) if scenario.refusal else checked_at,
        renews_in=timedelta(days=rng.randint(*RENEWS_WITHIN)) if scenario.cause is Cause.RENEW_SOON else None,
    )


def link_row(life: Life, cast: Cast, *, now: datetime) -> Link:
    """Return the link as `health.py` would have left it."""
    part, history = life.part, life.history
    scenario, last_act = part.scenario, history.acts[-1] if history.acts else None
    link = Link(
        id=life.id,
        integration=cast.integrations[scenario.provider],
        end_user=cast.end_users[part.customer.external_id],
        institution=cast.institutions[part.bank],
        assignee=cast.staff.get(life.assignee),
        remote_id=life.remote_id,
        data_source_id=life.data_source_id,
        remote_kind="plaid_integration" if scenario.provider == HERON else "",
        access_mode=_access_mode(part),
        refresh_rate=part.refresh_rate,
        **_settings(part),
        remote_created_at=life.remote_created_at,
        created_at=life.began,
        health=VERDICTS[scenario.cause].state.value,
        cause=scenario.cause.value,
        health_since=history.since,
        **_code(life),
        raw_status=scenario.told.status,
        raw_code=scenario.told.code,
        raw_words=scenario.told.words,
        request_id=last_act.request_id if last_act else "",
        renew_by=_renew_by(life, cast, now=now),
        last_good_at=life.last_good_at,
        stale_at=life.stale_at,
        last_attempt_at=history.last_attempt_at,
        refused_at=history.refused_at,
        observed_at=life.observed_at,
        checked_at=life.checked_at,
    )
    link.urgency = link.rank()
    return link


def _renew_by(life: Life, cast: Cast, *, now: datetime) -> date | None:
    """Return the day on which a consent that holds ends: soon, or a year after it was given."""
    if life.renews_in:
        return (now + life.renews_in).date()
    by_consent = cast.institutions[life.part.bank].is_by_consent and life.part.scenario.provider == BELVO
    holds = by_consent and not life.part.scenario.consent
    return (life.remote_created_at + CONSENT_LASTS).date() if holds else None


def _code(life: Life) -> dict[str, Any]:
    """Return what goes with a code of Heron's: since when it is said, and what it means beside "active"."""
    told = life.part.scenario.told
    conflict = told.status == "active" and bool(told.code)
    cause = cause_of(told.code) if conflict else None
    return {
        "conflict": conflict,
        "code_since": life.history.since if told.code else None,
        "code_cause": cause.value if cause else "",
    }


def change_rows(life: Life) -> Iterator[HealthChange]:
    """Yield the link's changes of state, the oldest first."""
    old = ""
    for change in life.history.changes:
        yield HealthChange(
            link_id=life.id,
            at=change.at,
            source=change.source,
            old=old,
            new=change.state.value,
            cause=change.cause.value,
            raw_status=change.told.status,
            raw_code=change.told.code,
            raw_words=change.told.words,
            operation_id=change.operation,
        )
        old = change.state.value


def operation_rows(life: Life, cast: Cast) -> Iterator[Operation]:
    """Yield what was done to the link, all of it closed."""
    yield from (_operation_row(life, act, cast) for act in life.history.acts)


def belvo_record(life: Life) -> dict[str, Any]:
    """Return the link as Belvo has it, in the words of the simulator's state file."""
    scenario, settings = life.part.scenario, _settings(life.part)
    return {
        "id": life.remote_id,
        "institution": life.part.bank,
        "status": "valid" if scenario.consent else scenario.told.status,
        "access_mode": _access_mode(life.part),
        "refresh_rate": life.part.refresh_rate or None,
        "external_id": life.part.customer.external_id,
        "credentials_storage": settings["storage"],
        "stale_in": settings["stale_in"],
        "fetch_resources": settings["resources"],
        "created_at": life.remote_created_at.isoformat(),
        "last_accessed_at": life.last_good_at.isoformat() if life.last_good_at else None,
        "silent": not _works(life),
    }


def belvo_consent(life: Life, *, now: datetime) -> dict[str, Any] | None:
    """Return the consent behind a link as Belvo has it, where it ended or ends soon: all others last for a year."""
    status, since = life.part.scenario.consent, life.history.changes[-1].at
    if life.part.scenario.provider != BELVO or not (life.renews_in or status):
        return None
    end = (
        now + life.renews_in
        if life.renews_in
        else since
        if status == "EXPIRED"
        else life.remote_created_at + CONSENT_LASTS
    )
    created = life.remote_created_at.isoformat()
    return {
        "link": life.remote_id,
        "status": status or "AUTHORISED",
        "created_at": created,
        "expired_at": end.isoformat(),
    }


def heron_record(life: Life) -> dict[str, Any]:
    """Return the link as Heron has it, in the words of the simulator's state file."""
    scenario = life.part.scenario
    return {
        "item_id": life.remote_id,
        "end_user_id": life.part.customer.external_id,
        "status": scenario.told.status,
        "status_message": scenario.message,
        "created": life.remote_created_at.isoformat(),
        "last_updated": max(life.history.changes[-1].at, life.last_good_at or life.began).isoformat(),
        "last_successful_sync": life.last_good_at.isoformat() if life.last_good_at else None,
        "data_source_heron_id": life.data_source_id,
        "silent": not _works(life),
    }


def _works(life: Life) -> bool:
    """Tell whether the provider goes on fetching data; if not, what we know of the link must stay as it is."""
    return VERDICTS[life.part.scenario.cause].state is HealthState.HEALTHY


def _days(rng: Random, least: float, most: float) -> timedelta:
    return timedelta(seconds=int(rng.uniform(least, most) * 86_400))


def _remote_id(part: Scene, rng: Random) -> str:
    if part.scenario.provider == BELVO:
        return str(id_of("belvo", part.number))
    return "".join(rng.choices(ascii_letters + digits, k=ITEM_ID_LENGTH))


def _settings(part: Scene) -> dict[str, Any]:
    """Return what Belvo keeps of a link and for how long; nothing at Heron."""
    if part.scenario.provider == HERON:
        return {}
    return {
        "storage": f"{part.scenario.storage_days or 365}d" if part.is_single else "store",
        "stale_in": "365d",
        "resources": INSTITUTIONS[part.bank]["resources"][:RESOURCES_FETCHED],
    }


def _access_mode(part: Scene) -> str:
    if part.scenario.provider == HERON:
        return ""
    return "single" if part.is_single else "recurrent"


def _last_good_at(history: History, *, until: datetime, rng: Random) -> datetime | None:
    """Return when the bank last gave data: within its usual turn before `until`, earlier if that is the trouble."""
    part = history.part
    if part.scenario.is_new:
        return None
    if part.is_single:
        return history.changes[0].at
    if part.scenario.cause is Cause.STALE and part.fresh_for:
        return until - part.fresh_for
    usual = until - timedelta(seconds=int(part.turn.total_seconds() * rng.uniform(0.05, 0.9)))
    return max(usual, history.worked_at)


def _operation_row(life: Life, act: PastAct, cast: Cast) -> Operation:
    part = life.part
    natural_key = life.remote_id if part.scenario.provider == HERON else ""
    return Operation(
        id=act.id,
        kind=act.kind,
        state=act.state,
        version=3,
        integration=cast.integrations[part.scenario.provider],
        link_id=life.id,
        end_user=cast.end_users[part.customer.external_id],
        institution=cast.institutions[part.bank],
        parent_id=act.parent,
        actor=cast.staff[act.actor],
        operation_key=id_of("form", act.id),
        parameters={"item_id": life.remote_id} if natural_key else {},
        natural_key=natural_key,
        created_at=act.sent_at,
        sent_at=act.sent_at,
        finished_at=act.finished_at,
        http_status=act.http_status,
        code=act.code,
        words=act.words,
        request_id=act.request_id,
        outcome=act.outcome,
        cause=act.cause,
        duration_ms=act.took // timedelta(milliseconds=1),
        counts_as_attempt=act.is_attempt,
        asked_again=AskedAgain.WRONG_CODE if act.is_attempt and act.kind is OperationKind.SUBMIT_CODE else "",
    )
