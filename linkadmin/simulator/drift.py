"""Changes at the providers that nobody asked for: some links break, some that were broken work again."""

import hashlib
from collections.abc import Mapping

from .belvo import life as belvo_life
from .belvo.records import BelvoLink
from .heron import life as heron_life
from .heron.records import HeronLink
from .store import Store

Wish = int | float  # a number of links, or as a float the share of them


def drift(store: Store, *, belvo: Wish = 0, heron: Wish = 0, seed: int = 0) -> dict[str, list[str]]:
    """Let links break or mend, and return their ids. The same again lets the same links change back.

    Raises ValueError.
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


def _some(links: Mapping[str, BelvoLink | HeronLink], wish: Wish, seed: int) -> list[str]:
    """Pick as many as are wished for of those that can drift, in an order of the seed's that no other link changes."""
    able = [key for key, link in links.items() if link.status in belvo_life.DRIFTING | heron_life.DRIFTING]
    able.sort(key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest())
    return able[: round(min(1.0, wish) * len(able)) if isinstance(wish, float) else wish]
