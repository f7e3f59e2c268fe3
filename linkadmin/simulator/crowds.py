"""All generated records of a world."""

from dataclasses import dataclass, replace
from typing import Self

from .belvo_crowd import BelvoCrowd
from .clock import Clock
from .heron_crowd import CustomerCrowd, HeronCrowd
from .population import DAY, Population


@dataclass(frozen=True, slots=True)
class Crowds:
    population: Population  # with its `until`
    links: BelvoCrowd
    items: HeronCrowd
    customers: CustomerCrowd

    @classmethod
    def of(cls, population: Population, clock: Clock) -> Self:
        """Settle when the newest record was made, and all else follows."""
        until = clock() // DAY * DAY if population.until is None else population.until
        return cls(
            replace(population, until=until),
            BelvoCrowd(population, until, clock),
            HeronCrowd(population, until, clock),
            CustomerCrowd(population, until),
        )
