"""Outcomes a test value can trigger at a bank or provider, and how a request carries them out."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from .wire import ConnectionCut, Reply

LONGEST_WAIT = 300  # seconds; the longest that Belvo documents for one request
DRIP = 0.25  # seconds between two bytes


class ChallengeKind(StrEnum):
    """What a bank asks the customer to do for a one-time code."""

    CODE = "code"
    NUMERIC = "numeric"
    QR = "qr"
    TEXT = "text"
    APPROVE = "approve"


class Damage(StrEnum):
    """How a response is damaged on its way."""

    NONE = "none"
    CUT = "cut"
    UNREADABLE = "unreadable"
    ERROR = "error"
    DRIPPED = "dripped"


@dataclass(frozen=True, slots=True)
class Succeed:
    delay: int = 0  # seconds


@dataclass(frozen=True, slots=True)
class Ask:
    """The bank wants a code. With `as_array` None the call decides the format of the body."""

    kind: ChallengeKind = ChallengeKind.CODE
    lifetime: int = 720  # seconds
    as_array: bool | None = None
    delay: int = 0  # seconds
    instructions: str = ""  # empty: the default of its kind
    question: str = ""  # the text of the challenge; empty: the usual one
    then: "Ask | None" = None  # next challenge after the right answer
    again: "Ask | None" = None  # next challenge after a wrong answer; None: the same


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error in the provider's format; only Belvo has a `code`."""

    status: int
    code: str
    message: str | Mapping[str, object]
    wrong_password: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A response that isn't in the provider's error format."""

    answer: Reply


@dataclass(frozen=True, slots=True)
class Spoil:
    """The response is damaged after the change was made, or nothing happens and no response is sent."""

    reply: Damage
    acted: bool


Outcome = Succeed | Ask | Refuse | Plain | Spoil


@dataclass(frozen=True, slots=True)
class Trigger:
    """Test values that all do the same. A timed one is followed by a number of seconds."""

    words: tuple[str, ...]
    says: str
    outcome: Outcome
    timed: bool = False
    update_only: bool = False

    @property
    def shown(self) -> tuple[str, ...]:
        return tuple(f"{word}N" if self.timed else word for word in self.words)


def _never_asks(_: Ask) -> Reply:
    raise NotImplementedError("this request doesn't ask for a one-time code")


@dataclass(frozen=True, slots=True)
class OutcomeHandlers:
    """How one request carries out an outcome; each function runs at most once, after any delay."""

    act: Callable[[], Reply]
    refuse: Callable[[Refuse], Reply]
    ask: Callable[[Ask], Reply] = _never_asks


def match(triggers: Iterable[Trigger], text: str, *, tails: bool = False) -> Trigger | None:
    """Find the trigger for a text, with its delay. With `tails` a value may be followed by `-anything`."""
    for trigger in triggers:
        for word in trigger.words:
            pattern = re.escape(word) + ("([1-9][0-9]{0,2})" if trigger.timed else "") + ("(?:-.*)?" if tails else "")
            found = re.fullmatch(pattern, text, re.DOTALL)
            if found and not trigger.timed:
                return trigger
            if found and int(found[1]) <= LONGEST_WAIT and isinstance(trigger.outcome, Succeed | Ask):
                return replace(trigger, outcome=replace(trigger.outcome, delay=int(found[1])))
    return None


def play(outcome: Outcome, wait: Callable[[float], None], handlers: OutcomeHandlers) -> Reply:
    """Carry out an outcome after its delay. The caller must not hold the store's lock. Raises ConnectionCut."""
    match outcome:
        case Succeed():
            wait(outcome.delay)
            return handlers.act()
        case Ask():
            wait(outcome.delay)
            return handlers.ask(outcome)
        case Refuse():
            return handlers.refuse(outcome)
        case Plain():
            return outcome.answer
        case Spoil():
            return _spoil(outcome, handlers)


def _spoil(outcome: Spoil, handlers: OutcomeHandlers) -> Reply:
    if not outcome.acted:
        raise ConnectionCut
    good = handlers.act()
    match outcome.reply:
        case Damage.NONE:
            raise ConnectionCut
        case Damage.CUT:
            return replace(good, payload=good.payload[:20], length=len(good.payload))
        case Damage.UNREADABLE:
            return replace(good, payload=good.payload[:-20])
        case Damage.ERROR:
            return handlers.refuse(SERVER_ERROR)
        case Damage.DRIPPED:
            return replace(good, drip=DRIP)


SERVER_ERROR = Refuse(
    500,
    "unexpected_error",
    "The request cannot be processed due to an internal system issue or to an unsupported response from an institution",
)
