"""Alternatives that take turns, so that whatever slows the machine slows all of them."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

WARM_UPS = 2
NOISY = 1.25  # between the loop before and after a run


@dataclass(frozen=True, slots=True)
class Timing:
    p50: float  # seconds
    p95: float


def take_turns(alternatives: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, Timing]:
    """Run each alternative once a round, in turn; each returns the seconds it took."""
    taken: dict[str, list[float]] = {name: [] for name in alternatives}
    for number in range(rounds + WARM_UPS):
        for name, run in alternatives.items():
            seconds = run()
            if number >= WARM_UPS:
                taken[name].append(seconds)
    return {name: _timing(sorted(seconds)) for name, seconds in taken.items()}


def _timing(seconds: list[float]) -> Timing:
    p95 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]
    return Timing(statistics.median(seconds), p95)


def machine() -> dict[str, float]:
    """Return the load average and the seconds of a fixed loop: how much of the machine is ours."""
    started = time.perf_counter()
    total = 0
    for number in range(3_000_000):
        total += number
    return {"load": os.getloadavg()[0], "loop": time.perf_counter() - started}


def is_noisy(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    return max(before["loop"], after["loop"]) > NOISY * min(before["loop"], after["loop"])
