"""Heads of tables of links. In the list itself, those of its orders sort it."""

from collections.abc import Iterator
from functools import cache

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from linkadmin.web.sorting import Head, Sorting, draw_heads

from .filters import ATTENTION, CUSTOMER, LAST_SYNC, SINCE


def heads(*, of_one_customer: bool = False) -> str:
    return _unsorted(get_language(), of_one_customer)


def heads_of(sorting: Sorting, *, is_search: bool) -> str:
    return sorting.heads([*_heads()], is_search=is_search)


@cache
def _unsorted(_language: str | None, of_one_customer: bool) -> str:
    return draw_heads(head for head in _heads() if not of_one_customer or head.order != CUSTOMER)


def _heads() -> Iterator[Head]:
    yield Head(_("Customer"), "table__customer", CUSTOMER)
    yield Head(_("Institution"), "table__bank")
    yield Head(_("Status"), "table__status", ATTENTION)
    yield Head(_("Since"), "table__since", SINCE)
    yield Head(_("Last sync"), "table__extra", LAST_SYNC)
    yield Head(_("Assignee"), "table__extra")
