"""Alternatives that take turns, so that whatever slows the machine slows all of them."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

from .engines import NotMeasured

WARM_UPS = 2
SLOW = 0.5  # seconds; what takes longer takes fewer turns
SLOW_TURNS = 5
NOISY = 1.25  # between the loop before and after a workload

Measured = Callable[[], float]  # does something once; returns the seconds, or raises NotMeasured


@dataclass(frozen=True, slots=True)
class Timing:
    p50: float  # seconds
    p95: float
    low: float
    high: float


def take_turns(
    alternatives: Mapping[str, Measured], *, rounds: int, warm_ups: int = WARM_UPS
) -> dict[str, Timing | NotMeasured]:
    """Run each alternative once a round, in turn. What is a process of its own needs no warm-ups."""
    taken: dict[str, list[float]] = {name: [] for name in alternatives}
    failed: dict[str, NotMeasured] = {}
    every = dict.fromkeys(alternatives, 1)
    for number in range(-warm_ups, rounds):
        for name, run in alternatives.items():
            if name in failed or number % every[name]:
                continue
            try:
                seconds = run()
            except NotMeasured as why:
                failed[name] = why
                continue
            if number >= 0:
                taken[name].append(seconds)
            elif seconds > SLOW:
                every[name] = max(1, rounds // SLOW_TURNS)
    return {name: failed.get(name) or timing(seconds) for name, seconds in taken.items()}


def timing(seconds: list[float]) -> Timing:
    ordered = sorted(seconds)
    return Timing(statistics.median(ordered), percentile(ordered, 0.95), ordered[0], ordered[-1])


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> float:
    """Wait for a condition; return the seconds it took. Raises NotMeasured if it takes too long."""
    started = time.perf_counter()
    for _ in count():
        if condition():
            return time.perf_counter() - started
        if time.perf_counter() - started > seconds:
            raise NotMeasured(f"it took longer than {seconds:g} s")
        time.sleep(every)
    raise AssertionError


def machine() -> dict[str, float]:
    """Return the load average and the seconds of a fixed loop: how much of the machine is ours."""
    started = time.perf_counter()
    total = 0
    for number in range(3_000_000):
        total += number
    return {"load": os.getloadavg()[0], "loop": time.perf_counter() - started}


def is_noisy(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    return max(before["loop"], after["loop"]) > NOISY * min(before["loop"], after["loop"])
