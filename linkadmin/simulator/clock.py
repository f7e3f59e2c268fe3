"""Timestamps as the providers write them."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], float]  # seconds since 1970
_OF_HOUR = tuple(f"{second // 60:02}:{second % 60:02}." for second in range(3600))


class LeadClock:
    """A clock that can be moved ahead of another one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lead = 0.0  # seconds

    def __call__(self) -> float:
        return self._clock() + self._lead

    def forward(self, seconds: float) -> None:
        self._lead += seconds


def iso(moment: float) -> str:
    """Format seconds since 1970 as `2026-11-21T20:43:42.123456Z`."""
    whole, microseconds = divmod(round(moment * 1_000_000), 1_000_000)
    hour, second = divmod(whole, 3600)
    return f"{_hour(hour)}{_OF_HOUR[second]}{microseconds:06}Z"


@lru_cache(4096)
def _hour(number: int) -> str:
    # Lists are full of timestamps; caching the hour makes formatting three times as fast.
    return datetime.fromtimestamp(number * 3600, UTC).strftime("%Y-%m-%dT%H:")


def without_zone(text: str | None) -> str | None:
    """Return an ISO timestamp as Heron writes it outside of links: UTC, whole seconds, no zone."""
    return text and text[:19]


def seconds(text: str) -> float:
    """Parse an ISO date or timestamp (UTC unless it names a zone) into seconds since 1970. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
