"""No call leaves without a permit. Who gives them, and by which limits, is handed in as an `Admission`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError

ADDRESS_REFUSED = "address_refused"


class HealthSignal(Enum):
    """What one attempt says about whether the provider can be reached."""

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
    """How one attempt ended: with which error, if any, and what the answer said about the rate."""

    error: ProviderError | None = None
    rate: Rate | None = None

    @property
    def signal(self) -> HealthSignal:
        if isinstance(self.error, NotSent):
            return HealthSignal.NOTHING if self.error.failure.reason == ADDRESS_REFUSED else HealthSignal.FAILS
        # A 408 is an answer too: the bank behind the provider took too long.
        if isinstance(self.error, OutcomeUnknown) and not 400 <= self.error.failure.status < 500:
            return HealthSignal.FAILS
        return HealthSignal.ANSWERS


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call is not made now, and from when it may be; None: nobody knows."""

    reason: str
    retry_at: datetime | None = None
    why: str = ""  # in words, where the reason alone does not say

    @property
    def retry_after(self) -> float | None:
        """How many seconds that is from now."""
        return max(0.0, (self.retry_at - datetime.now(UTC)).total_seconds()) if self.retry_at else None


class Permit:
    """One admitted call. It ends with `release`, whatever came of it. This one records nothing."""

    def record(self, result: AttemptResult) -> None:
        """Record an attempt that another one may follow."""

    def may_retry(self) -> bool:
        """Tell whether another attempt may be made now, and count it if so. Without a count, none may."""
        return False

    def release(self, result: AttemptResult | None) -> None:
        """Record the last attempt, unless that was done, and free the slot."""


class Admission:
    """Admits every call, and no retry: nobody counts them. Limits are the business of a subclass."""

    def admit(self, call: str, *, seconds: float) -> Permit | Denial:
        """Admit a call that takes `seconds` at most, with all its attempts; or say why not."""
        return Permit()
