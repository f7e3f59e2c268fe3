"""Only reads, and creates that weren't sent, are retried within a call. No other change is ever sent again.

Background work only reads, and is retried later by `work_queue`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError

from .admission import ADDRESS_REFUSED

ATTEMPTS = 3  # total
# Share of the remaining time for an attempt that isn't the last: enough for a slow response, and the rest for a retry.
ATTEMPT_SHARE = 2 / 3

_LOST_ANSWER = frozenset({"reset", "timeout", "cut", "broken"})


class RetryPolicy(Enum):
    """What may be retried without a person."""

    NEVER = auto()
    UNSENT = auto()  # as long as nothing was sent
    READ = auto()  # also after a lost response, or one that asks us to wait

    @classmethod
    def of(cls, call: str, method: str) -> "RetryPolicy":
        if method == "GET":
            return cls.READ
        return cls.UNSENT if call == "create_link" else cls.NEVER

    def allow_after(self, error: ProviderError) -> bool:
        if self is RetryPolicy.NEVER:
            return False
        if isinstance(error, NotSent):
            return error.failure.reason != ADDRESS_REFUSED
        return self is RetryPolicy.READ and _may_read_again(error)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter, in seconds."""

    base: float
    cap: float
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def before_retry(self, number: int, error: ProviderError) -> float:
        jitter = self.chance() * min(self.cap, self.base * 2.0 ** (number - 1))
        return max(jitter, error.failure.retry_after or 0.0)


@dataclass(slots=True)
class RetryLoop:
    """The attempts of one call, within a deadline on the monotonic clock."""

    policy: RetryPolicy
    backoff: Backoff
    ends_at: float
    number: int = 1

    @property
    def seconds(self) -> float:
        """Time limit of the next attempt."""
        left = max(0.001, self.ends_at - time.monotonic())
        return left * ATTEMPT_SHARE if self.policy is RetryPolicy.READ and self.number < ATTEMPTS else left

    def wait_after(self, error: ProviderError | None) -> float | None:
        """Return the seconds before the next attempt, and count it; None if there is none."""
        if error is None or self.number == ATTEMPTS or not self.policy.allow_after(error):
            return None
        wait = self.backoff.before_retry(self.number, error)
        self.number += 1
        return wait if time.monotonic() + wait < self.ends_at else None


def _may_read_again(error: ProviderError) -> bool:
    status, reason = error.failure.status, error.failure.reason
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return error.failure.retry_after is not None
    if not isinstance(error, OutcomeUnknown):
        return False
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= 500 or (not status and reason in _LOST_ANSWER)
