"""Orders of a list, both ways: heads of its table that sort it, and a menu for where there are no heads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from linkadmin.paging import Keyset, OldestIfNever

from .filter_menus import SORT, FilterMenu, MenuOption, url_with
from .flat_parts import FlatPart

REVERSED = "-"  # begins the name of an order
_HEAD = FlatPart("partials/_table_head.html")


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    css: str = ""
    order: str = ""  # that it sorts by
    falls: bool = False  # whether that order begins with the highest value


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a list. Its columns are those of a `Keyset`, and its labels those of both ways."""

    labels: tuple[str | Promise, str | Promise]
    columns: tuple[str | OldestIfNever, ...] = ()
    falls: bool = False  # whether it begins with the highest value


@dataclass(frozen=True, slots=True)
class Sorting:
    """How a list is sorted. The usual order isn't in its URL."""

    orders: Mapping[str, Order]
    query: QueryDict
    list_url: str
    usual: str
    sort: str

    @classmethod
    def read(cls, orders: Mapping[str, Order], query: QueryDict, list_url: str, *, usual: str = "") -> "Sorting":
        """Without `usual`, the first order is. Raises `BadRequest`."""
        usual = usual or next(iter(orders))
        sort = query.get(SORT) or usual
        if sort.removeprefix(REVERSED) not in orders:
            raise BadRequest("a list has no such order")
        return cls(orders, query, list_url, usual, sort)

    @property
    def name(self) -> str:
        return self.sort.removeprefix(REVERSED)

    @property
    def is_reversed(self) -> bool:
        return self.sort.startswith(REVERSED)

    @property
    def keyset(self) -> Keyset:
        order = self.orders[self.name]
        return Keyset(*order.columns, newest_first=order.falls != self.is_reversed)

    def url_of(self, sort: str) -> str:
        return url_with(self.query, self.list_url, SORT, "" if sort == self.usual else sort)

    def menu(self) -> FilterMenu:
        labels = {
            f"{sign}{name}": str(label)
            for name, order in self.orders.items()
            for sign, label in zip(("", REVERSED), order.labels, strict=True)
        }
        options = [MenuOption(label, self.url_of(sort), sort == self.sort) for sort, label in labels.items()]
        return FilterMenu(SORT, _("Sort"), labels[self.sort], tuple(options))

    def heads(self, heads: Sequence[Head], *, of: str = "", is_search: bool = False) -> str:
        """Markup. `of` tells several tables of a page apart."""
        return draw_heads(heads, self.sort, self.url_of, of=of, is_search=is_search)

    def fields(self) -> list[tuple[str, str]]:
        """For the audit event of an export."""
        return [] if self.sort == self.usual else [(SORT, self.sort)]


def draw_heads(
    heads: Iterable[Head],
    sort: str = "",
    url_of: Callable[[str], str] | None = None,
    *,
    of: str = "",
    is_search: bool = False,
) -> str:
    """Markup. `sort` is the list's order, and `url_of` returns the list in another; without it, no head sorts.

    In a search, heads keep its words.
    """
    more = {"of": of, "is_search": is_search}
    return _HEAD.fill({**_texts(head, sort, url_of), **more} for head in heads)


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
