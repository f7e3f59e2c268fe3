"""When the latest calls were made, counted in slots of a fraction of their window, so that a long window stays short.

A call counts until the whole slot it was made in has left the window: never too few are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

SLOTS = 128  # per window


@dataclass(slots=True)
class RecentCalls:
    """Calls of the last `seconds`, by slot, oldest first."""

    seconds: float
    counts: dict[int, int]

    @classmethod
    def read(cls, text: str, seconds: float, now: datetime) -> "RecentCalls":
        """Read what `write` returned, without calls outside of the window: older ones, or of a clock that was ahead."""
        recent = cls(seconds, {})
        last = recent._slot(now)
        for slot, count in _pairs(text):
            if last - SLOTS <= slot <= last:
                recent.counts[slot] = count
        return recent

    def write(self) -> str:
        return " ".join(f"{slot}:{count}" for slot, count in self.counts.items())

    def add(self, now: datetime) -> None:
        slot = self._slot(now)
        self.counts[slot] = self.counts.get(slot, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def free_at(self, now: datetime) -> datetime:
        """When the oldest of these calls leaves the window."""
        return self._start_of(min(self.counts, default=self._slot(now)) + SLOTS + 1)

    def lately(self, share: float, now: datetime) -> int:
        """How many calls were made in this last share of the window, roughly."""
        return sum(self.counts[slot] for slot in self._latest(share, now))

    def lately_free_at(self, share: float, now: datetime) -> datetime:
        return self._start_of(min(self._latest(share, now), default=self._slot(now)) + int(share * SLOTS))

    def _latest(self, share: float, now: datetime) -> list[int]:
        first = self._slot(now) - int(share * SLOTS) + 1
        return [slot for slot in self.counts if slot >= first]

    def _start_of(self, slot: int) -> datetime:
        return datetime.fromtimestamp(slot * self.seconds / SLOTS, UTC)

    def _slot(self, at: datetime) -> int:
        return int(at.timestamp() * SLOTS / self.seconds)


def total_of(text: str) -> int:
    """How many calls `write` wrote, however long ago."""
    return sum(count for _slot, count in _pairs(text))


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    for pair in text.split():
        slot, _colon, count = pair.partition(":")
        yield int(slot), int(count)
