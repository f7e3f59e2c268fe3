"""Changes at the providers that nobody asked for: some generated links break, some that were broken work again."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from . import belvo_life, heron_life
from .population import Permutation
from .records import BelvoLink, HeronLink
from .state import World

Wish = int | float  # a number of links, or as a float the share of them
BROKEN = ("invalid", "token_required", "invalid")


def stir(world: World, *, belvo: Wish = 0, heron: Wish = 0, seed: int = 0) -> dict[str, list[str]]:
    """Let links change by themselves, and return their ids. The same again lets the same links change back."""
    with world.lock:
        world.settle()
        belvo_ids = islice(_moved_links(world, seed), _count(belvo, world.crowds.links.size))
        heron_ids = islice(_moved_items(world, seed), _count(heron, world.crowds.items.size))
        moved = {"belvo": list(belvo_ids), "heron": list(heron_ids)}
        world.save()
    return moved


def order(world: World, wish: dict[str, Any]) -> dict[str, list[str]]:
    """Stir as it was posted. Raises ValueError."""
    if unknown := sorted(wish.keys() - {"belvo", "heron", "seed"}):
        raise ValueError(f"unknown key {unknown[0]!r}; belvo, heron and seed are known")
    numbers = all(type(value) in (int, float) and value >= 0 for value in wish.values())
    if not numbers or isinstance(wish.get("seed"), float):
        raise ValueError("belvo and heron are numbers of links, or shares such as 0.02; seed is a whole number")
    return stir(world, **wish)


def _count(wish: Wish, size: int) -> int:
    return round(min(1.0, wish) * size) if isinstance(wish, float) else wish


def _moved_links(world: World, seed: int) -> Iterator[str]:
    for turn, number in enumerate(_numbers(world.crowds.links.size, seed)):
        link = world.links.at(number)
        if link and link.status != "unconfirmed":
            _move_link(world, world.links.take(link.id) or link, turn)
            yield link.id


def _move_link(world: World, link: BelvoLink, turn: int) -> None:
    if link.status == "valid":
        belvo_life.refuse(world, link, BROKEN[turn % len(BROKEN)])
    else:
        belvo_life.mend(world, link)


def _moved_items(world: World, seed: int) -> Iterator[str]:
    for turn, number in enumerate(_numbers(world.crowds.items.size, seed)):
        link = world.items.at(number)
        if link and link.status in ("active", "erroring"):
            _move_item(world, world.items.take(link.item_id) or link, turn)
            yield link.item_id


def _move_item(world: World, link: HeronLink, turn: int) -> None:
    if link.status == "active":
        heron_life.fail(world, link, heron_life.TROUBLES[turn % len(heron_life.TROUBLES)])
    else:
        heron_life.mend(world, link)


def _numbers(size: int, seed: int) -> Iterator[int]:
    """Walk all numbers in an order of the seed's."""
    bits = max(2, size.bit_length())
    hide = Permutation(seed, "stir", bits).hide
    return (number for number in map(hide, range(1 << bits)) if number < size)
