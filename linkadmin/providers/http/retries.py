"""Only reads, and creates that never left, are retried within a call. Nothing else sends a change again.

Work in the background, which consists of reads, is done again later by `work_queue`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

from linkadmin.providers.errors import NotSent, OutcomeUnknown, ProviderError

from .admission import ADDRESS_REFUSED

ATTEMPTS = 3  # in all
# Of the time left, for an attempt that another may follow: enough for an answer that is slow, and some for the next if
# nothing comes at all.
ATTEMPT_SHARE = 2 / 3

_LOST_ANSWER = frozenset({"reset", "timeout", "cut", "broken"})


class RetryPolicy(Enum):
    """How far a call may be retried without a person."""

    NEVER = auto()
    UNSENT = auto()  # as long as nothing has left
    READ = auto()  # and after any answer that was lost, or that asks to wait

    @classmethod
    def of(cls, call: str, method: str) -> "RetryPolicy":
        """Return the row of the table for one of a provider's calls."""
        if method == "GET":
            return cls.READ
        return cls.UNSENT if call == "create_link" else cls.NEVER

    def allow_after(self, error: ProviderError) -> bool:
        """Tell whether a call that ended with this error may be made once more."""
        if self is RetryPolicy.NEVER:
            return False
        if isinstance(error, NotSent):
            return error.failure.reason != ADDRESS_REFUSED
        return self is RetryPolicy.READ and _may_read_again(error)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a retry: any time up to one that doubles with each attempt, in seconds."""

    base: float
    cap: float
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def before_retry(self, number: int, error: ProviderError) -> float:
        """Return the wait before the first, second, ... retry: never shorter than the provider asks for."""
        jitter = self.chance() * min(self.cap, self.base * 2.0 ** (number - 1))
        return max(jitter, error.failure.retry_after or 0.0)


@dataclass(slots=True)
class RetryLoop:
    """The attempts of one call, all before one moment of our monotonic clock."""

    policy: RetryPolicy
    backoff: Backoff
    ends_at: float
    number: int = 1

    @property
    def seconds(self) -> float:
        """How long the next attempt may take."""
        left = max(0.001, self.ends_at - time.monotonic())
        return left * ATTEMPT_SHARE if self.policy is RetryPolicy.READ and self.number < ATTEMPTS else left

    def wait_after(self, error: ProviderError | None) -> float | None:
        """Go on to the next attempt: return the wait before it in seconds, or None if there is none."""
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
