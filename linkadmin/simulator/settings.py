"""How the two providers behave as a whole: how fast, how reliably, and how many calls they bear."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

# The limits that Belvo documents. They are off unless asked for: tests and demonstrations call faster than that.
BELVO_CALLS, BELVO_WINDOW = 80, 30  # calls from one address; seconds
BELVO_DELETES = 5  # plain deletes a minute

_SMALLEST = {"webhook_copies": 1}  # of all others: 0
_LARGEST = {
    "latency": 300_000,
    "error_rate": 1,
    "webhook_copies": 5,
    "webhook_shuffle": 1,
    "webhook_delay": 86_400,
    "webhook_pace": 100,
}  # of all others:
_LARGEST_NUMBER = 2**31 - 1
_SHARES = {"error_rate", "webhook_pace"}  # these may have a fraction


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """What can be set. A limit of 0 is none. Raises ValueError for a number out of bounds."""

    latency: int = 0  # milliseconds before every answer
    error_rate: float = 0.0  # share of the calls that are answered with status 500, from 0 to 1
    error_seed: int = 0  # the same seed fails the same calls of a run
    heron_limit: int = 1000  # calls a minute to each endpoint
    belvo_limit: int = 0  # calls in 30 seconds from one address
    belvo_deletes: int = 0  # plain deletes a minute
    webhook_copies: int = 1  # how often each webhook is sent
    webhook_shuffle: int = 0  # 1: webhooks leave in random order within a second
    webhook_delay: int = 0  # seconds before a webhook leaves
    webhook_pace: float = 1.0  # the pauses between attempts, as a multiple of the documented ones

    def __post_init__(self) -> None:
        for each in fields(self):
            smallest, largest = _SMALLEST.get(each.name, 0), _LARGEST.get(each.name, _LARGEST_NUMBER)
            value, kinds = getattr(self, each.name), int | float if each.name in _SHARES else int
            if isinstance(value, bool) or not isinstance(value, kinds) or not smallest <= value <= largest:
                raise ValueError(f"{each.name} must be a number from {smallest} to {largest}")

    def changed(self, wishes: Mapping[str, Any]) -> "SimulatorSettings":
        """Return this settings with some settings changed. Raises ValueError."""
        if unknown := sorted(wishes.keys() - {each.name for each in fields(self)}):
            raise ValueError(f"unknown setting {unknown[0]!r}")
        return replace(self, **wishes)


DEFAULTS = SimulatorSettings()
MEANINGS = {
    "latency": "milliseconds before every answer",
    "error_rate": "share of the calls answered with status 500, nothing changed; from 0 to 1",
    "error_seed": "the same seed fails the same calls of a run",
    "heron_limit": "calls a minute to each endpoint of Heron, beyond it status 429; 0: no limit",
    "belvo_limit": f"calls in {BELVO_WINDOW} seconds from one address to Belvo, beyond it status 403 as a web page; "
    f"0: no limit; Belvo documents {BELVO_CALLS}",
    "belvo_deletes": f"plain removals a minute at Belvo, beyond it status 429; 0: no limit; "
    f"Belvo documents {BELVO_DELETES}",
    "webhook_copies": "how often each webhook is sent, from 1 to 5",
    "webhook_shuffle": "1: webhooks leave in random order within a second; 0: in the order of the events",
    "webhook_delay": "seconds before a webhook leaves",
    "webhook_pace": "pauses between the attempts of a webhook, as a multiple of those documented; 0.01 is quick",
}
