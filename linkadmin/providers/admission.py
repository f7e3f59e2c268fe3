"""What every call passes on its way out. The books of it are not kept here: whoever keeps them hands in a gate."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from .errors import NotSent, OutcomeUnknown, ProviderError

ADDRESS_REFUSED = "address_refused"


class HealthSignal(Enum):
    """What one try says about whether the provider can be spoken with."""

    ANSWERS = auto()  # whatever it said
    FAILS = auto()
    NOTHING = auto()  # it never got as far as that


@dataclass(frozen=True, slots=True)
class Quota:
    """How often a provider may be called: at most `calls` in any window of `seconds`.

    `scope` names one call, such as remove_link, or all of them when empty. The half of what the provider documents is
    right for a provider that does not tell where its window begins: two of our windows may lie within one of its own.
    """

    calls: int
    seconds: float
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """What an answer told about how often may be called: so many calls are `left` of those a window allows.

    Without `calls` nothing may be called until the window ends; then `ends_in` is None where the answer did not tell
    when that is.
    """

    scope: str  # one call, such as remove_link; empty: all calls together
    ends_in: float | None  # seconds
    calls: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one try told: the error it ended with, if it did, and what its answer said about the rate."""

    error: ProviderError | None = None
    rate: Rate | None = None

    @property
    def sign(self) -> HealthSignal:
        if isinstance(self.error, NotSent):
            return HealthSignal.NOTHING if self.error.failure.reason == ADDRESS_REFUSED else HealthSignal.FAILS
        # A 408 is an answer too: the bank behind the provider took too long.
        if isinstance(self.error, OutcomeUnknown) and not 400 <= self.error.failure.status < 500:
            return HealthSignal.FAILS
        return HealthSignal.ANSWERS


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call is not made now, and after how many seconds it may be; None: nobody knows."""

    reason: str
    retry_after: float | None = None


class Permit(Protocol):
    """One call that was let in. It ends with `leave`, whatever came of it."""

    def note(self, told: AttemptResult) -> None:
        """Take note of a try that another one may follow."""

    def again(self) -> bool:
        """Count another try; tell whether it may be made now."""

    def leave(self, told: AttemptResult | None) -> None:
        """Take note of the last try, unless that was done, and let others have the place."""


class Admission(Protocol):
    def enter(self, call: str, *, seconds: float) -> Permit | Denial:
        """Let in a call that takes `seconds` at most, with all its tries; or say why not."""


class UnlimitedAdmission:
    """Lets every call in, and no second try: nobody counts them."""

    def enter(self, call: str, *, seconds: float) -> Permit | Denial:
        return self

    def note(self, told: AttemptResult) -> None: ...

    def again(self) -> bool:
        return False

    def leave(self, told: AttemptResult | None) -> None: ...
