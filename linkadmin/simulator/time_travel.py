"""Hours in the life of both providers, as they pass: the clock goes ahead, and some of the links change on the way."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from .belvo import life as belvo_life
from .heron import life as heron_life
from .store import Store
from .ticker import catch_up

Happening = Callable[[Store, random.Random, str], str]
HOUR = 3600.0  # seconds
LONGEST = 24 * 366  # hours
MOST_STEPS = 10_000
BANK_CHANGES = 0.3  # how likely one bank goes down in a step, and each that is down comes back


def travel(store: Store, *, hours: float = 24, seed: int = 0, share: float = 0.1, step: float = 1) -> dict[str, Any]:
    """Let so many hours pass, and something happen to that share of all links; return how often what happened.

    The same seed makes the same events of the same records. Raises ValueError.
    """
    if not 0 <= hours <= LONGEST or not 0 <= share <= 1 or not (step > 0 and hours / step <= MOST_STEPS):
        raise ValueError(
            f"hours are from 0 to {LONGEST}, a share is from 0 to 1, and at most {MOST_STEPS} steps are made"
        )
    catch_up(store)
    steps = max(1, math.ceil(hours / step))
    counts: dict[str, Counter[str]] = {"belvo": Counter(), "heron": Counter(), "banks": Counter()}
    for _ in range(steps):
        store.clock.forward(hours * HOUR / steps)
        catch_up(store)
        _pass_step(store, _chance(store, seed), share / steps, counts)
    return {**{where: dict(sorted(each.items())) for where, each in counts.items()}, "now": store.now()}


def _chance(store: Store, seed: int) -> random.Random:
    """Make the chance of one step. How many links there are takes part, as the count begins anew with a restart."""
    store.lived += 1
    return random.Random(f"{seed}/{store.lived}/{len(store.belvo_links)}/{len(store.heron_links)}")  # noqa: S311


def _pass_step(store: Store, chance: random.Random, share: float, counts: dict[str, Counter[str]]) -> None:
    with store.lock:
        counts["banks"].update(_change_banks(store, chance))
        counts["belvo"].update(_touch(store, chance, store.belvo_links, belvo_life.happen, share))
        counts["heron"].update(_touch(store, chance, store.heron_links, heron_life.happen, share))
        store.save()


def _touch(store: Store, chance: random.Random, keys: Iterable[str], happen: Happening, share: float) -> Counter[str]:
    """Let something happen to some links. A fraction of a link is one link now and then."""
    links = list(keys)
    chosen = chance.sample(links, min(len(links), int(share * len(links) + chance.random())))
    return Counter(happen(store, chance, key) for key in chosen)


def _change_banks(store: Store, chance: random.Random) -> Counter[str]:
    counts: Counter[str] = Counter()
    for bank in store.institutions.values():
        if bank["status"] == "down" and chance.random() < BANK_CHANGES:
            bank["status"] = "healthy"
            counts["up"] += 1
    if chance.random() < BANK_CHANGES:
        bank = chance.choice([bank for bank in store.institutions.values() if bank["status"] == "healthy"])
        bank["status"] = "down"
        counts["down"] += 1
    return counts
