"""Heads of tables. Those that sort their list do so both ways."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .flat_parts import FlatPart

REVERSED = "-"  # begins the name of an order
_HEAD = FlatPart("partials/_table_head.html")


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    css: str = ""
    order: str = ""  # that it sorts by
    falls: bool = False  # whether that order begins with the highest value


def draw_heads(
    heads: Iterable[Head], sort: str = "", url_of: Callable[[str], str] | None = None, *, is_search: bool = False
) -> str:
    """Markup. `sort` is the list's order, and `url_of` returns the list in another; without it, no head sorts.

    In a search, heads keep its words.
    """
    return _HEAD.fill({**_texts(head, sort, url_of), "is_search": is_search} for head in heads)


def _texts(head: Head, sort: str, url_of: Callable[[str], str] | None) -> dict[str, object]:
    is_by, is_reversed = bool(head.order) and sort.removeprefix(REVERSED) == head.order, sort.startswith(REVERSED)
    wanted = f"{REVERSED}{head.order}" if is_by and not is_reversed else head.order
    return {
        "label": head.label,
        "key": head.order,
        "css": head.css,
        "url": url_of(wanted) if url_of and head.order else "",
        "order": ("descending" if is_reversed != head.falls else "ascending") if is_by else "",
    }
