"""The generated population: plain records of links, consents and end users, the same for the same seed.

They're generated once at startup and change like any other record after that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

DAY = 86_400  # seconds
SPAN = 730 * DAY  # seconds from the oldest record to the newest
LARGEST = 10_000_000  # links per provider; a million of each need two gigabytes


@dataclass(frozen=True, slots=True)
class Population:
    """Number of generated links and their seed. Raises ValueError for a size out of bounds."""

    seed: int = 1
    belvo_links: int = 0
    heron_links: int = 0
    until: float | None = None  # creation of the newest (seconds since 1970); None: today at 00:00 UTC

    def __post_init__(self) -> None:
        if not all(0 <= size <= LARGEST for size in (self.belvo_links, self.heron_links)):
            raise ValueError(f"a population has from 0 to {LARGEST} links of each provider")

    @property
    def is_empty(self) -> bool:
        return not (self.belvo_links or self.heron_links)


EMPTY = Population()


def moments(rng: Random, size: int, until: float) -> Iterator[float]:
    """Yield creation times: evenly spread with some jitter, always in order."""
    return (until - SPAN + (number + rng.random()) * SPAN / size for number in range(size))


def customers(seed: int, links: int) -> list[str]:
    """Return the customer ID of each link, the same at both providers: seven customers per ten links."""
    count = -(-links * 7 // 10)
    ids = [f"customer-{number:010x}" for number in Random(f"{seed}/customers").sample(range(1 << 40), count)]  # noqa: S311
    return [ids[number * 7 // 10] for number in range(links)]
