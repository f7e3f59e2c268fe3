"""Unprompted changes at both providers, when the control API asks for them.

Drift breaks some links and repairs some broken ones. Time travel moves the clock ahead hour by hour and changes some
links on the way.
"""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .belvo import life as belvo_life
from .belvo.records import BelvoLink
from .heron import life as heron_life
from .heron.records import HeronLink
from .store import Store
from .ticker import catch_up

Link = TypeVar("Link")
HOUR = 3600.0  # seconds
LONGEST = 24 * 366  # hours
MOST_STEPS = 10_000
BANK_CHANGES = 0.3  # chance per step that one bank goes down, and that each bank that's down recovers


def drift(store: Store, *, belvo: float = 0, heron: float = 0, seed: int = 0) -> dict[str, list[str]]:
    """Break or repair a number of links, or a share of them for a float, and return their IDs.

    Repeating the call changes the same links back. Raises ValueError.
    """
    if belvo < 0 or heron < 0:
        raise ValueError("belvo and heron are numbers of links, or shares such as 0.02")
    with store.lock:
        links, items = _some(store.belvo_links, belvo, seed), _some(store.heron_links, heron, seed)
        for turn, link in enumerate(links):
            belvo_life.drift(store, store.belvo_links[link], turn)
        for turn, item in enumerate(items):
            heron_life.drift(store, store.heron_links[item], turn)
        store.save()
    return {"belvo": links, "heron": items}


def _some(links: Mapping[str, BelvoLink | HeronLink], amount: float, seed: int) -> list[str]:
    # The seed decides the order, independent of other links.
    able = [key for key, link in links.items() if link.status in belvo_life.DRIFTING | heron_life.DRIFTING]
    able.sort(key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest())
    return able[: round(min(1.0, amount) * len(able)) if isinstance(amount, float) else amount]


def travel(store: Store, *, hours: float = 24, seed: int = 0, share: float = 0.1, step: float = 1) -> dict[str, Any]:
    """Let hours pass and change a share of all links; return how often each event happened.

    The same seed makes the same events for the same records. Raises ValueError.
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
        _pass_step(store, seed, share / steps, counts)
    return {**{where: dict(sorted(each.items())) for where, each in counts.items()}, "now": store.now()}


def _pass_step(store: Store, seed: int, share: float, counts: dict[str, Counter[str]]) -> None:
    with store.lock:
        store.steps_passed += 1
        # The number of links is part of the seed, because the step count restarts with the simulator.
        chance = random.Random(f"{seed}/{store.steps_passed}/{len(store.belvo_links)}/{len(store.heron_links)}")  # noqa: S311
        counts["banks"].update(_change_banks(store, chance))
        counts["belvo"].update(_touch(store, chance, store.belvo_links, belvo_life.weights, belvo_life.EVENTS, share))
        counts["heron"].update(_touch(store, chance, store.heron_links, heron_life.weights, heron_life.EVENTS, share))
        store.save()


def _touch(
    store: Store,
    chance: random.Random,
    links: dict[str, Link],
    weights: Callable[[Store, Link], Mapping[str, int]],
    events: Mapping[str, Callable[[Store, random.Random, Link], None]],
    share: float,
) -> Iterator[str]:
    # A fraction of a link changes one link now and then.
    for key in chance.sample(list(links), min(len(links), int(share * len(links) + chance.random()))):
        link = links.get(key)  # an earlier event may have removed it
        names = weights(store, link) if link else {}
        if link and names:
            (name,) = chance.choices(list(names), list(names.values()))
            events[name](store, chance, link)
            yield name
        else:
            yield "nothing"


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
