"""Each call needs a permit. Callers pass in an `Admission`, which applies the limits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Protocol

from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError

ADDRESS_REFUSED = "address_refused"


class HealthSignal(Enum):
    """What an attempt says about whether the provider is reachable."""

    ANSWERS = auto()  # any response
    FAILS = auto()
    NOTHING = auto()  # nothing was sent


@dataclass(frozen=True, slots=True)
class Quota:
    """A rate limit: at most `calls` in any window of `seconds`.

    `scope` names one call, such as remove_link; empty means all calls.
    """

    calls: int
    seconds: float
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit reported by a response: `left` of `calls` remain in this window.

    With `calls` 0, no call is allowed until the window ends; `ends_in` is None if the response doesn't say when.
    """

    scope: str  # one call, such as remove_link; empty: all calls together
    ends_in: float | None  # seconds
    calls: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """Result of an attempt: its error, if any, and the reported rate limit."""

    error: ProviderError | None = None
    rate: Rate | None = None

    @property
    def is_plain(self) -> bool:
        """A success that reports no rate limit."""
        return self.error is None and self.rate is None

    @property
    def signal(self) -> HealthSignal:
        if isinstance(self.error, NotSent):
            return HealthSignal.NOTHING if self.error.failure.reason == ADDRESS_REFUSED else HealthSignal.FAILS
        # A 408 counts as a response: the bank behind the provider took too long.
        if isinstance(self.error, OutcomeUnknown) and not 400 <= self.error.failure.status < 500:
            return HealthSignal.FAILS
        return HealthSignal.ANSWERS


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call isn't allowed now, and when it may be; None if unknown."""

    reason: str
    retry_at: datetime | None = None
    why: str = ""  # text, if the reason alone doesn't say it

    @property
    def retry_after(self) -> float | None:
        """Seconds from now."""
        return max(0.0, (self.retry_at - datetime.now(UTC)).total_seconds()) if self.retry_at else None


class Permit(Protocol):
    """An admitted call. Always ends with `release`."""

    def record(self, result: AttemptResult) -> None:
        """Record an attempt that may be followed by a retry."""

    def may_retry(self) -> bool:
        """Whether a retry is allowed now; counts it."""

    def release(self, result: AttemptResult | None) -> None:
        """Record the last attempt, unless `record` did, and free the slot."""


class Admission(Protocol):
    def admit(self, call: str, *, seconds: float) -> Permit | Denial:
        """Admit a call of at most `seconds`, retries included, or say why not."""
