"""What a typed word can make a bank or a provider do, and how a call carries it out."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from .wire import ConnectionCut, Reply

LONGEST_WAIT = 300  # seconds; the longest that Belvo documents for one call
DRIP = 0.25  # seconds from byte to byte


class ChallengeKind(StrEnum):
    """What a bank asks the person to do for a one-time code."""

    CODE = "code"
    NUMERIC = "numeric"
    QR = "qr"
    TEXT = "text"
    APPROVE = "approve"


class Damage(StrEnum):
    """What becomes of an answer that goes wrong on its way."""

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
    """The bank wants a code. `as_array` None leaves the shape of the body to the call."""

    kind: ChallengeKind = ChallengeKind.CODE
    lifetime: int = 720  # seconds
    as_array: bool | None = None
    delay: int = 0  # seconds
    instructions: str = ""  # empty: those of its kind
    question: str = ""  # the value of a text; empty: the usual one
    then: "Ask | None" = None  # what is asked after the right answer
    again: "Ask | None" = None  # what is asked after a wrong one; None: the same


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer in the provider's error shape; `code` is Belvo's, Heron has none."""

    status: int
    code: str
    message: str | Mapping[str, object]
    wrong_password: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """An answer outside the provider's error shape."""

    answer: Reply


@dataclass(frozen=True, slots=True)
class Spoil:
    """The answer goes wrong after the change was made, or nothing was done and nothing is answered."""

    reply: Damage
    acted: bool


Outcome = Succeed | Ask | Refuse | Plain | Spoil


@dataclass(frozen=True, slots=True)
class Trigger:
    """Words that all do the same. A timed word is followed by a number of seconds."""

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
class Effects:
    """How one call carries an outcome out; each runs once at most, after any delay."""

    act: Callable[[], Reply]
    refuse: Callable[[Refuse], Reply]
    ask: Callable[[Ask], Reply] = _never_asks


def match(triggers: Iterable[Trigger], text: str, *, tails: bool = False) -> Trigger | None:
    """Find the trigger of a text, its delay filled in. With `tails` a word may go on with `-anything`."""
    for trigger in triggers:
        for word in trigger.words:
            pattern = re.escape(word) + ("([1-9][0-9]{0,2})" if trigger.timed else "") + ("(?:-.*)?" if tails else "")
            found = re.fullmatch(pattern, text, re.DOTALL)
            if found and not trigger.timed:
                return trigger
            if found and int(found[1]) <= LONGEST_WAIT and isinstance(trigger.outcome, Succeed | Ask):
                return replace(trigger, outcome=replace(trigger.outcome, delay=int(found[1])))
    return None


def play(outcome: Outcome, wait: Callable[[float], None], effects: Effects) -> Reply:
    """Carry an outcome out, after a wait in seconds. The store's lock is not held here. Raises ConnectionCut."""
    match outcome:
        case Succeed():
            wait(outcome.delay)
            return effects.act()
        case Ask():
            wait(outcome.delay)
            return effects.ask(outcome)
        case Refuse():
            return effects.refuse(outcome)
        case Plain():
            return outcome.answer
        case Spoil():
            return _spoil(outcome, effects)


def _spoil(outcome: Spoil, effects: Effects) -> Reply:
    if not outcome.acted:
        raise ConnectionCut
    good = effects.act()
    match outcome.reply:
        case Damage.NONE:
            raise ConnectionCut
        case Damage.CUT:
            return replace(good, payload=good.payload[:20], length=len(good.payload))
        case Damage.UNREADABLE:
            return replace(good, payload=good.payload[:-20])
        case Damage.ERROR:
            return effects.refuse(SERVER_ERROR)
        case Damage.DRIPPED:
            return replace(good, drip=DRIP)


SERVER_ERROR = Refuse(
    500,
    "unexpected_error",
    "The request cannot be processed due to an internal system issue or to an unsupported response from an institution",
)
