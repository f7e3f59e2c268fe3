"""Hours in the life of both providers, as they pass: the clock goes ahead, and some of the links change on the way."""

import math
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from . import belvo_life, heron_life
from .overlay import Overlay
from .pulse import beat
from .state import World

Happening = Callable[[World, random.Random, str], str]
HOUR = 3600.0  # seconds
LONGEST = 24 * 366  # hours
MOST_STEPS = 10_000
BANK_CHANGES = 0.3  # how likely one bank goes down in a step, and each that is down comes back


def live(world: World, *, hours: float = 24, seed: int = 0, share: float = 0.1, step: float = 1) -> dict[str, Any]:
    """Let so many hours pass, and something happen to that share of all links; return how often what happened.

    The same seed makes the same events of the same world. Raises ValueError.
    """
    if not 0 <= hours <= LONGEST or not 0 <= share <= 1 or not (step > 0 and hours / step <= MOST_STEPS):
        raise ValueError(
            f"hours are from 0 to {LONGEST}, a share is from 0 to 1, and at most {MOST_STEPS} steps are made"
        )
    beat(world)
    steps = max(1, math.ceil(hours / step))
    counts: dict[str, Counter[str]] = {"belvo": Counter(), "heron": Counter(), "banks": Counter()}
    for _ in range(steps):
        world.clock.forward(hours * HOUR / steps)
        beat(world)
        _pass_step(world, _chance(world, seed), share / steps, counts)
    return {**{where: dict(sorted(each.items())) for where, each in counts.items()}, "now": world.now()}


def order(world: World, wish: dict[str, Any]) -> dict[str, Any]:
    """Live as it was posted. Raises ValueError."""
    if unknown := sorted(wish.keys() - {"hours", "seed", "share", "step"}):
        raise ValueError(f"unknown key {unknown[0]!r}; hours, seed, share and step are known")
    if not all(type(value) in (int, float) for value in wish.values()) or isinstance(wish.get("seed"), float):
        raise ValueError("hours, share and step are numbers; seed is a whole number")
    return live(world, **wish)


def _chance(world: World, seed: int) -> random.Random:
    """Make the chance of one step. How much is kept takes part, as the count of steps begins anew with a restart."""
    world.lived += 1
    return random.Random(f"{seed}/{world.lived}/{len(world.belvo_links)}/{len(world.heron_links)}")  # noqa: S311


def _pass_step(world: World, chance: random.Random, share: float, counts: dict[str, Counter[str]]) -> None:
    with world.lock:
        counts["banks"].update(_change_banks(world, chance))
        counts["belvo"].update(_touch(world, chance, world.links, belvo_life.happen, share))
        counts["heron"].update(_touch(world, chance, world.items, heron_life.happen, share))
        world.save()


def _touch(world: World, chance: random.Random, records: Overlay[Any], happen: Happening, share: float) -> Counter[str]:
    """Let something happen to some records. A fraction of a record is one record now and then."""
    others = records.others()
    size = records.generated + len(others)
    number = min(size, int(share * size + chance.random()))
    chosen = chance.sample(range(size), number)
    keys = [records.key(each) if each < records.generated else others[each - records.generated] for each in chosen]
    return Counter(happen(world, chance, key) for key in keys)


def _change_banks(world: World, chance: random.Random) -> Counter[str]:
    counts: Counter[str] = Counter()
    for bank in world.institutions.values():
        if bank["status"] == "down" and chance.random() < BANK_CHANGES:
            bank["status"] = "healthy"
            counts["up"] += 1
    if chance.random() < BANK_CHANGES:
        bank = chance.choice([bank for bank in world.institutions.values() if bank["status"] == "healthy"])
        bank["status"] = "down"
        counts["down"] += 1
    return counts
