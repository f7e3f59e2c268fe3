"""How many rows a data set has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    links: int
    facts: dict[str, int]  # status changes of each link, by engine
    rounds: int  # of a page


SIZES = {
    size.name: size
    for size in (
        Size("S", 10_000, {"sqlite": 5, "postgresql": 5}, rounds=40),
        Size("M", 100_000, {"sqlite": 5, "postgresql": 5}, rounds=40),
        Size("L", 1_000_000, {"sqlite": 10, "postgresql": 50}, rounds=40),
    )
}
