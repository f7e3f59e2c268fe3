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

    scene: Scene
    rng: Random
    creator: str = ""
    changes: list[HealthChange] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    repaired_at: datetime | None = None

    @property
    def since(self) -> datetime:
        return [change.at for change in self.changes if change.old != change.new][-1]

    @property
    def worked_at(self) -> datetime:
        # When it started to work, there was data.
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

    def record_change(
        self,
        at: datetime,
        cause: Cause,
        reported: ProviderWords,
        source: Source = Source.LIST,
        operation: Operation | None = None,
    ) -> None:
        self.changes.append(
            HealthChange(
                link_id=self.scene.link_id,
                at=at,
                source=source,
                old=self.changes[-1].new if self.changes else "",
                new=VERDICTS[cause].state.value,
                cause=cause.value,
                raw_status=reported.status,
                raw_code=reported.code,
                raw_words=reported.words,
                operation_id=operation.id if operation else None,
            )
        )

    def add_operation(
        self, kind: OperationKind, state: State, sent_at: datetime, took: timedelta, **facts: Any
    ) -> Operation:
        """The request took `took`; a code may have come later."""
        belvo = self.scene.scenario.provider == BELVO
        operation = Operation(
            id=id_of("operation", f"{self.scene.number}:{len(self.operations)}"),
            kind=kind,
            state=state,
            version=3,
            link_id=self.scene.link_id,
            created_at=sent_at,
            sent_at=sent_at,
            request_id=f"{self.rng.getrandbits(128):032x}" if belvo else "",
            actor_id=id_of("staff", self.creator or self.rng.choice(OWNERS)),
            duration_ms=took // timedelta(milliseconds=1),
            **self.scene.belongs_to,
            **{"finished_at": sent_at + took, **facts},
        )
        operation.operation_key = id_of("form", operation.id)
        self.operations.append(operation)
        return operation

    def seconds(self, low: int, high: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(low, high))


def history_of(scene: Scene, *, began: datetime, since: datetime | None, now: datetime, rng: Random) -> History:
    """`since` is when the link's problem began, None without one."""
    history = History(scene, rng)
    if scene.scenario.is_new or rng.random() < 0.45:
        history.creator = OWNERS[0] if scene.is_first_repair else rng.choice(OWNERS)
    if scene.scenario is scenarios.NEVER_CONFIRMED:
        _register_half(history, began)
    else:
        _create(history, began)
        if not scene.scenario.is_new and not scene.is_single:
            quiet = scene.fresh_for if scene.scenario.cause is Cause.STALE else None
            _fill_between(history, began + DAY, (since or now) - DAY - (quiet or timedelta()))
    _reach_present(history, since, now)
    return history


def _create(history: History, began: datetime) -> None:
    heron = history.scene.scenario.provider == HERON
    working = ProviderWords("active" if heron else "valid")
    if history.creator:
        took = timedelta(seconds=1) if heron else history.seconds(3, 14)
        operation = history.add_operation(Kind.CREATE_LINK, State.SUCCEEDED, began - took, took)
        cause, reported = (Cause.PENDING, ProviderWords("pending")) if heron else (Cause.WORKING, working)
        history.record_change(began, cause, reported, Source.CALL, operation)
        if heron and not history.scene.scenario.is_new:
            history.record_change(began + history.seconds(60, 5000), Cause.WORKING, working)
    else:
        history.record_change(began, Cause.WORKING, working)


def _register_half(history: History, began: datetime) -> None:
    code, words = CODE_ASKED
    asked = ProviderWords("", code, words)
    took = history.seconds(4, 11)
    late = {"outcome": "code_too_late", "finished_at": began + CODE_LIFETIME}
    operation = history.add_operation(
        Kind.CREATE_LINK, State.EXPIRED, began - took, took, http_status=428, code=code, words=words, **late
    )
    history.record_change(began, Cause.CODE_WAITING, asked, Source.CALL, operation)
    history.record_change(began + CODE_LIFETIME, Cause.CODE_TOO_LATE, ProviderWords(), Source.CALL, operation)


def _fill_between(history: History, start: datetime, end: datetime) -> None:
    count = history.rng.choices((0, 1, 2), (45, 35, 20))[0]
    for number in range(count):
        share = (end - start) / count
        at = (start + share * (number + history.rng.uniform(0.1, 0.85))).replace(microsecond=0)
        until = (at + min(share * 0.1, history.rng.uniform(0.1, 3) * DAY)).replace(microsecond=0)
        if until - at > HOUR:
            _trouble(history, at, until)


def _trouble(history: History, at: datetime, until: datetime) -> None:
    scene = history.scene
    if scene.scenario.provider == HERON:
        cause, message = history.rng.choice(HERON_TROUBLES)
        history.record_change(at, cause, ProviderWords("erroring", message[1:].partition("]")[0], message))
        history.record_change(until, Cause.WORKING, ProviderWords("active"))
    elif scene.bank in (*scenarios.OPEN_FINANCE, *scenarios.EMPLOYMENT) or history.rng.random() < 0.3:
        at = max(at, history.changes[-1].at + (scene.fresh_for or DAY))
        if at < until:
            history.record_change(at, Cause.STALE, ProviderWords("valid"), Source.CLOCK)
            history.record_change(until, Cause.WORKING, ProviderWords("valid"))
    elif scene.bank in scenarios.CODE_BANKS:
        history.record_change(at, Cause.CODE_NEEDED, ProviderWords("token_required"))
        _repair_with_code(history, until)
    else:
        history.record_change(at, Cause.LOGIN_REFUSED, ProviderWords("invalid"))
        _repair_with_password(history, until)


def _repair_with_code(history: History, at: datetime) -> None:
    code, words = CODE_ASKED
    asked = {"http_status": 428, "code": code, "words": words, "outcome": code}
    update = history.add_operation(Kind.UPDATE_CREDENTIALS, State.CODE_ENTERED, at, history.seconds(35, 90), **asked)
    history.record_change(
        at + history.seconds(4, 20),
        Cause.CODE_WAITING,
        ProviderWords("token_required", code, words),
        Source.CALL,
        update,
    )
    last = update
    if history.rng.random() < 0.3:
        wrong = {**asked, "parent_id": last.id, "counts_as_attempt": True, "asked_again": AskedAgain.WRONG_CODE}
        last = history.add_operation(Kind.SUBMIT_CODE, State.CODE_ENTERED, _end(last), history.seconds(30, 70), **wrong)
    _prove(
        history,
        history.add_operation(Kind.SUBMIT_CODE, State.SUCCEEDED, _end(last), history.seconds(3, 12), parent_id=last.id),
    )


def _repair_with_password(history: History, at: datetime) -> None:
    if history.rng.random() < 0.35:
        wrong = _reject(history, at - 20 * MINUTE, scenarios.WRONG_PASSWORD)
        reported = replace(scenarios.WRONG_PASSWORD.reported, status="invalid")
        history.record_change(_end(wrong), Cause.PASSWORD_WRONG, reported, Source.CALL, wrong)
    _prove(history, history.add_operation(Kind.UPDATE_CREDENTIALS, State.SUCCEEDED, at, history.seconds(3, 40)))


def _reject(history: History, at: datetime, scenario: scenarios.Scenario) -> Operation:
    error = scenario.refusal
    assert error is not None  # noqa: S101 - callers check
    took = history.seconds(2, 25)
    return history.add_operation(
        Kind.UPDATE_CREDENTIALS,
        State.REJECTED,
        at - took,
        took,
        http_status=error.failure.status,
        code=scenario.reported.code,
        words=scenario.reported.words,
        outcome=type(error).__name__,
        cause=scenario.cause.value,
        counts_as_attempt=isinstance(error, SignInRejected),
    )


def _prove(history: History, operation: Operation) -> None:
    history.repaired_at = _end(operation)
    history.record_change(history.repaired_at + history.seconds(1, 9), Cause.WORKING, ProviderWords("valid"))


def _reach_present(history: History, since: datetime | None, now: datetime) -> None:
    scenario = history.scene.scenario
    if scenario.cause is Cause.RENEW_SOON:
        history.record_change(
            now - history.seconds(40_000, 400_000),
            Cause.RENEW_SOON,
            ProviderWords(scenario.reported.status),
            Source.CLOCK,
        )
    if since is None or scenario.cause == history.changes[-1].cause:
        return
    if scenario.refusal:
        operation = _reject(history, since, scenario)
        history.record_change(since, scenario.cause, scenario.reported, Source.CALL, operation)
    else:
        source = Source.CLOCK if scenario.cause is Cause.STALE else Source.LIST
        history.record_change(since, scenario.cause, scenario.reported, source)


def _end(operation: Operation) -> datetime:
    assert operation.finished_at  # noqa: S101 - all of the past is closed
    return operation.finished_at
