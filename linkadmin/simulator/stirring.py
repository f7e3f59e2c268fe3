"""Changes at the providers that nobody asked for: some links break, some that were broken work again."""

import hashlib
from collections.abc import Iterable
from typing import Any

from . import belvo_life, heron_life
from .state import World

Wish = int | float  # a number of links, or as a float the share of them
BROKEN = ("invalid", "token_required", "invalid")


def stir(world: World, *, belvo: Wish = 0, heron: Wish = 0, seed: int = 0) -> dict[str, list[str]]:
    """Let links change by themselves, and return their ids. The same again lets the same links change back."""
    with world.lock:
        belvo_ids = _some((key for key, link in world.belvo_links.items() if link.status != "unconfirmed"), belvo, seed)
        for turn, link in enumerate(map(world.belvo_links.__getitem__, belvo_ids)):
            if link.status == "valid":
                belvo_life.refuse(world, link, BROKEN[turn % len(BROKEN)])
            else:
                belvo_life.mend(world, link)
        moving = ("active", "erroring")
        heron_ids = _some((key for key, item in world.heron_links.items() if item.status in moving), heron, seed)
        for turn, item in enumerate(map(world.heron_links.__getitem__, heron_ids)):
            if item.status == "active":
                heron_life.fail(world, item, heron_life.TROUBLES[turn % len(heron_life.TROUBLES)])
            else:
                heron_life.mend(world, item)
        world.save()
    return {"belvo": belvo_ids, "heron": heron_ids}


def order(world: World, wish: dict[str, Any]) -> dict[str, list[str]]:
    """Stir as it was posted. Raises ValueError."""
    if unknown := sorted(wish.keys() - {"belvo", "heron", "seed"}):
        raise ValueError(f"unknown key {unknown[0]!r}; belvo, heron and seed are known")
    numbers = all(type(value) in (int, float) and value >= 0 for value in wish.values())
    if not numbers or isinstance(wish.get("seed"), float):
        raise ValueError("belvo and heron are numbers of links, or shares such as 0.02; seed is a whole number")
    return stir(world, **wish)


def _some(keys: Iterable[str], wish: Wish, seed: int) -> list[str]:
    """Pick as many as are wished for, in an order of the seed's that others who come or go do not change."""
    ordered = sorted(keys, key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest())
    return ordered[: round(min(1.0, wish) * len(ordered)) if isinstance(wish, float) else wish]
