"""Settings of both providers: speed, reliability, and rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

# The limits Belvo documents. Off by default: tests and demos send requests faster than that.
BELVO_CALLS, BELVO_WINDOW = 80, 30  # requests from one address; seconds
BELVO_DELETES = 5  # plain deletes per minute


def _setting(usual: float, meaning: str, *, largest: int = 2**31 - 1, smallest: int = 0) -> Any:
    return field(default=usual, metadata={"meaning": meaning, "bounds": (smallest, largest)})


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings that can be changed. A limit of 0 means none. Raises ValueError for a number out of bounds."""

    latency: int = _setting(0, "milliseconds before each response", largest=300_000)
    error_rate: float = _setting(0.0, "share of requests answered with status 500, nothing changed; 0 to 1", largest=1)
    error_seed: int = _setting(0, "the same seed fails the same requests")
    heron_limit: int = _setting(1000, "requests per minute to each Heron endpoint, then status 429; 0: no limit")
    belvo_limit: int = _setting(
        0,
        f"requests to Belvo in {BELVO_WINDOW} seconds from one address, then status 403 as a web page; "
        f"0: no limit; Belvo documents {BELVO_CALLS}",
    )
    belvo_deletes: int = _setting(
        0, f"plain deletes per minute at Belvo, then status 429; 0: no limit; Belvo documents {BELVO_DELETES}"
    )
    webhook_copies: int = _setting(1, "how many times each webhook is sent, 1 to 5", smallest=1, largest=5)
    webhook_shuffle: int = _setting(0, "1: webhooks are sent in random order within a second; 0: in order", largest=1)
    webhook_delay: int = _setting(0, "seconds before a webhook is sent", largest=86_400)
    webhook_pace: float = _setting(
        1.0,
        "multiplies the documented pauses between webhook attempts; 0.01 is quick",
        largest=100,
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value, (smallest, largest) = getattr(self, each.name), each.metadata["bounds"]
            kinds = int | float if each.type is float else int
            if isinstance(value, bool) or not isinstance(value, kinds) or not smallest <= value <= largest:
                raise ValueError(f"{each.name} must be a number from {smallest} to {largest}")

    def changed(self, changes: Mapping[str, Any]) -> "SimulatorSettings":
        if unknown := sorted(changes.keys() - MEANINGS.keys()):
            raise ValueError(f"unknown setting {unknown[0]!r}")
        return replace(self, **changes)


DEFAULTS = SimulatorSettings()
MEANINGS: Mapping[str, str] = {each.name: each.metadata["meaning"] for each in fields(SimulatorSettings)}
