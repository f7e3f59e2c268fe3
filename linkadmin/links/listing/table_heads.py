"""Heads of tables of links. In the list itself, those of its orders sort it, both ways."""

from collections.abc import Iterator
from functools import cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linkadmin.web.flat_parts import FlatPart

from .filters import ATTENTION, CUSTOMER, LAST_SYNC, REVERSED, SINCE, LinkFilter

_HEAD = FlatPart("links/_head.html")


def heads() -> str:
    return _unsorted(get_language())


def sorting_heads(chosen: LinkFilter, *, is_search: bool) -> str:
    return _HEAD.fill(_heads(chosen, is_search=is_search))


@cache
def _unsorted(_language: str | None) -> str:
    return _HEAD.fill(_heads(None, is_search=False))


def _heads(chosen: LinkFilter | None, *, is_search: bool) -> Iterator[dict[str, object]]:
    columns = [
        (_("Customer"), CUSTOMER, "table__customer"),
        (_("Institution"), "", "table__bank"),
        (_("Status"), ATTENTION, "table__status"),
        (_("Since"), SINCE, "table__since"),
        (_("Last sync"), LAST_SYNC, "table__extra"),
        (_("Assignee"), "", "table__extra"),
    ]
    for label, key, css in columns:
        is_by, is_reversed = chosen is not None and chosen.order == key, chosen is not None and chosen.is_reversed
        wanted = f"{REVERSED}{key}" if is_by and not is_reversed else key
        yield {
            "label": label,
            "key": key,
            "css": css,
            "url": chosen.url(sort=() if wanted == ATTENTION else [wanted]) if chosen and key else "",
            "order": ("descending" if is_reversed else "ascending") if is_by else "",
            "is_search": is_search,
        }
