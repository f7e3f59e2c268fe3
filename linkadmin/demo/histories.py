"""The weeks before the first start: what was done to each link and what we saw of it, until now."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from random import Random
from typing import Any

from linkadmin.links.causes import VERDICTS
from linkadmin.links.models import HealthChange
from linkadmin.operations.challenges import AskedAgain
from linkadmin.operations.models import Operation, OperationKind, State
from linkadmin.providers.errors import SignInRejected
from linkadmin.providers.types import Cause, HealthState

from . import scenarios
from .casting import Scene, id_of
from .names import OWNERS
from .scenarios import BELVO, HERON, ProviderWords

Source = HealthChange.Source
Kind = OperationKind
CODE_ASKED = ("token_required", "A MFA token is required by the institution to login")
CODE_LIFETIME = timedelta(minutes=12)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HERON_TROUBLES = (
    (Cause.BANK_DOWN, scenarios.BANK_SILENT),
    (Cause.PROVIDER_DOWN, scenarios.PLAID_TROUBLE),
    (Cause.LOGIN_REQUIRED, scenarios.SIGN_IN_AGAIN),
)


@dataclass(slots=True)
class History:
    """One link's events, in order."""

    part: Scene
    rng: Random
    creator: str = ""
    changes: list[HealthChange] = field(default_factory=list)
    acts: list[Operation] = field(default_factory=list)
    repaired_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """When its present status began."""
        return [change.at for change in self.changes if change.old != change.new][-1]

    @property
    def worked_at(self) -> datetime:
        """When it last started to work, which means there was data."""
        return max((change.at for change in self.changes if change.new == HealthState.HEALTHY), default=self.since)

    @property
    def refused_at(self) -> datetime | None:
        """When an attempt failed, unless one succeeded after it."""
        broken = takewhile(lambda change: change.new != HealthState.HEALTHY, reversed(self.changes))
        called = (change for change in broken if change.source == Source.CALL)
        return next((change.at for change in called if change.new != HealthState.SETTING_UP), None)

    @property
    def last_attempt_at(self) -> datetime | None:
        called = [change.at for change in self.changes if change.source == Source.CALL]
        return max([*called, *filter(None, [self.repaired_at])], default=None)

    def see(
        self,
        at: datetime,
        cause: Cause,
        told: ProviderWords,
        source: Source = Source.LIST,
        act: Operation | None = None,
    ) -> None:
        """Record a status change of the link."""
        self.changes.append(
            HealthChange(
                link_id=self.part.link_id,
                at=at,
                source=source,
                old=self.changes[-1].new if self.changes else "",
                new=VERDICTS[cause].state.value,
                cause=cause.value,
                raw_status=told.status,
                raw_code=told.code,
                raw_words=told.words,
                operation_id=act.id if act else None,
            )
        )

    def do(self, kind: OperationKind, state: State, sent_at: datetime, took: timedelta, **facts: Any) -> Operation:
        """Record a finished operation. The request took `took`; a code may have come later."""
        belvo = self.part.scenario.provider == BELVO
        act = Operation(
            id=id_of("operation", f"{self.part.number}:{len(self.acts)}"),
            kind=kind,
            state=state,
            version=3,
            link_id=self.part.link_id,
            created_at=sent_at,
            sent_at=sent_at,
            request_id=f"{self.rng.getrandbits(128):032x}" if belvo else "",
            actor_id=id_of("staff", self.creator or self.rng.choice(OWNERS)),
            duration_ms=took // timedelta(milliseconds=1),
            **self.part.belongs_to,
            **{"finished_at": sent_at + took, **facts},
        )
        act.operation_key = id_of("form", act.id)
        self.acts.append(act)
        return act

    def seconds(self, low: int, high: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(low, high))


def history_of(part: Scene, *, began: datetime, since: datetime | None, now: datetime, rng: Random) -> History:
    """Build a link's history since its creation; `since` is when its problem began, None without one."""
    history = History(part, rng)
    if part.scenario.is_new or rng.random() < 0.45:
        history.creator = OWNERS[0] if part.is_first_repair else rng.choice(OWNERS)
    if part.scenario is scenarios.NEVER_CONFIRMED:
        _register_half(history, began)
    else:
        _begin(history, began)
        if not part.scenario.is_new and not part.is_single:
            quiet = part.fresh_for if part.scenario.cause is Cause.STALE else None
            _live(history, began + DAY, (since or now) - DAY - (quiet or timedelta()))
    _arrive(history, since, now)
    return history


def _begin(history: History, began: datetime) -> None:
    """Create the link: by a colleague, or first seen in the provider's list."""
    heron = history.part.scenario.provider == HERON
    working = ProviderWords("active" if heron else "valid")
    if history.creator:
        took = timedelta(seconds=1) if heron else history.seconds(3, 14)
        act = history.do(Kind.CREATE_LINK, State.SUCCEEDED, began - took, took)
        cause, told = (Cause.PENDING, ProviderWords("pending")) if heron else (Cause.WORKING, working)
        history.see(began, cause, told, Source.CALL, act)
        if heron and not history.part.scenario.is_new:
            history.see(began + history.seconds(60, 5000), Cause.WORKING, working)
    else:
        history.see(began, Cause.WORKING, working)


def _register_half(history: History, began: datetime) -> None:
    """Create a link that stopped at the bank's challenge, because nobody entered a code in time."""
    code, words = CODE_ASKED
    asked = ProviderWords("", code, words)
    took = history.seconds(4, 11)
    late = {"outcome": "code_too_late", "finished_at": began + CODE_LIFETIME}
    act = history.do(
        Kind.CREATE_LINK, State.EXPIRED, began - took, took, http_status=428, code=code, words=words, **late
    )
    history.see(began, Cause.CODE_WAITING, asked, Source.CALL, act)
    history.see(began + CODE_LIFETIME, Cause.CODE_TOO_LATE, ProviderWords(), Source.CALL, act)


def _live(history: History, start: datetime, end: datetime) -> None:
    """Fill the time between with up to two problems that passed."""
    count = history.rng.choices((0, 1, 2), (45, 35, 20))[0]
    for number in range(count):
        share = (end - start) / count
        at = (start + share * (number + history.rng.uniform(0.1, 0.4))).replace(microsecond=0)
        until = (at + min(share * 0.5, history.rng.uniform(0.1, 3) * DAY)).replace(microsecond=0)
        if until - at > HOUR:
            _trouble(history, at, until)


def _trouble(history: History, at: datetime, until: datetime) -> None:
    part = history.part
    if part.scenario.provider == HERON:
        cause, message = history.rng.choice(HERON_TROUBLES)
        history.see(at, cause, ProviderWords("erroring", message[1:].partition("]")[0], message))
        history.see(until, Cause.WORKING, ProviderWords("active"))
    elif part.bank in (*scenarios.OPEN_FINANCE, *scenarios.EMPLOYMENT) or history.rng.random() < 0.3:
        at = max(at, history.changes[-1].at + (part.fresh_for or DAY))
        if at < until:
            history.see(at, Cause.STALE, ProviderWords("valid"), Source.CLOCK)
            history.see(until, Cause.WORKING, ProviderWords("valid"))
    elif part.bank in scenarios.CODE_BANKS:
        history.see(at, Cause.CODE_NEEDED, ProviderWords("token_required"))
        _repair_with_code(history, until)
    else:
        history.see(at, Cause.LOGIN_REFUSED, ProviderWords("invalid"))
        _repair_with_password(history, until)


def _repair_with_code(history: History, at: datetime) -> None:
    code, words = CODE_ASKED
    asked = {"http_status": 428, "code": code, "words": words, "outcome": code}
    update = history.do(Kind.UPDATE_CREDENTIALS, State.CODE_ENTERED, at, history.seconds(35, 90), **asked)
    history.see(
        at + history.seconds(4, 20),
        Cause.CODE_WAITING,
        ProviderWords("token_required", code, words),
        Source.CALL,
        update,
    )
    last = update
    if history.rng.random() < 0.3:
        wrong = {**asked, "parent_id": last.id, "counts_as_attempt": True, "asked_again": AskedAgain.WRONG_CODE}
        last = history.do(Kind.SUBMIT_CODE, State.CODE_ENTERED, _end(last), history.seconds(30, 70), **wrong)
    _prove(
        history, history.do(Kind.SUBMIT_CODE, State.SUCCEEDED, _end(last), history.seconds(3, 12), parent_id=last.id)
    )


def _repair_with_password(history: History, at: datetime) -> None:
    if history.rng.random() < 0.35:
        wrong = _refuse(history, at - 20 * MINUTE, scenarios.WRONG_PASSWORD)
        told = replace(scenarios.WRONG_PASSWORD.told, status="invalid")
        history.see(_end(wrong), Cause.PASSWORD_WRONG, told, Source.CALL, wrong)
    _prove(history, history.do(Kind.UPDATE_CREDENTIALS, State.SUCCEEDED, at, history.seconds(3, 40)))


def _refuse(history: History, at: datetime, scenario: scenarios.Scenario) -> Operation:
    """Record a rejected sign-in."""
    error = scenario.refusal
    assert error is not None  # noqa: S101 - only for what an answer of the provider began
    took = history.seconds(2, 25)
    return history.do(
        Kind.UPDATE_CREDENTIALS,
        State.REJECTED,
        at - took,
        took,
        http_status=error.failure.status,
        code=scenario.told.code,
        words=scenario.told.words,
        outcome=type(error).__name__,
        cause=scenario.cause.value,
        counts_as_attempt=isinstance(error, SignInRejected),
    )


def _prove(history: History, act: Operation) -> None:
    history.repaired_at = _end(act)
    history.see(history.repaired_at + history.seconds(1, 9), Cause.WORKING, ProviderWords("valid"))


def _arrive(history: History, since: datetime | None, now: datetime) -> None:
    """Bring the link to its present status."""
    scenario = history.part.scenario
    if scenario.cause is Cause.RENEW_SOON:
        history.see(
            now - history.seconds(40_000, 400_000), Cause.RENEW_SOON, ProviderWords(scenario.told.status), Source.CLOCK
        )
    if since is None or scenario.cause == history.changes[-1].cause:
        return
    if scenario.refusal:
        act = _refuse(history, since, scenario)
        history.see(since, scenario.cause, scenario.told, Source.CALL, act)
    else:
        source = Source.CLOCK if scenario.cause is Cause.STALE else Source.LIST
        history.see(since, scenario.cause, scenario.told, source)


def _end(act: Operation) -> datetime:
    assert act.finished_at  # noqa: S101 - all of the past is closed
    return act.finished_at
