"""The generated population: plain records of links, consents and end users, the same ones from the same seed.

They are made once, at the start, and are changed from then on like any others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

DAY = 86_400  # seconds
SPAN = 730 * DAY  # seconds from the oldest record to the newest
LARGEST = 10_000_000  # links of one provider; a million of each need two gigabytes


@dataclass(frozen=True, slots=True)
class Population:
    """How many generated links there are, and the seed they follow. Raises ValueError for a size out of bounds."""

    seed: int = 1
    belvo_links: int = 0
    heron_links: int = 0
    until: float | None = None  # when the newest was made (seconds since 1970); None: today's first moment, UTC

    def __post_init__(self) -> None:
        if not all(0 <= size <= LARGEST for size in (self.belvo_links, self.heron_links)):
            raise ValueError(f"a population has from 0 to {LARGEST} links of each provider")

    @property
    def is_empty(self) -> bool:
        return not (self.belvo_links or self.heron_links)


EMPTY = Population()


def moments(rng: Random, size: int, until: float) -> Iterator[float]:
    """Say when each record was made: evenly over the span, a little off the beat, and never two out of order."""
    return (until - SPAN + (number + rng.random()) * SPAN / size for number in range(size))


def customers(seed: int, links: int) -> list[str]:
    """Return whose each link is, by an id that is the same at both providers: seven customers have ten links."""
    count = -(-links * 7 // 10)
    ids = [f"customer-{number:010x}" for number in Random(f"{seed}/customers").sample(range(1 << 40), count)]  # noqa: S311
    return [ids[number * 7 // 10] for number in range(links)]
