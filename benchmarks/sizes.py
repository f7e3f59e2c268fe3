"""How many rows a data set has."""

import json
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    links: int
    facts: dict[str, int]  # status changes of each link, by engine
    rounds: int  # of a page

    @property
    def arguments(self) -> list[str]:
        """For `benchmarks.data`, which reads them with `from_arguments`."""
        return [self.name, str(self.links), json.dumps(self.facts)]

    @classmethod
    def from_arguments(cls, name: str, links: str, facts: str) -> Self:
        return cls(name, int(links), json.loads(facts), rounds=0)


SIZES = {
    size.name: size
    for size in (
        Size("S", 10_000, {"sqlite": 5, "postgresql": 5}, rounds=40),
        Size("M", 100_000, {"sqlite": 5, "postgresql": 5}, rounds=40),
        Size("L", 1_000_000, {"sqlite": 10, "postgresql": 50}, rounds=40),
    )
}
