"""Filters of a list as menus, each option a link that applies it at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.translation import get_language

from linkadmin.paging import without_place

from .flat_parts import squeezed

SORT = "sort"  # the menu that orders the list instead of filtering it


@dataclass(frozen=True, slots=True)
class MenuOption:
    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FilterMenu:
    name: str
    label: str
    value: str  # empty if it doesn't filter
    options: tuple[MenuOption, ...] = ()
    clear_url: str = ""
    takes_several: bool = False
    is_typed: bool = False


def draw_menus(menus: Sequence[FilterMenu], *, list_url: str, is_search: bool = False) -> str:
    """Markup of the menus. In a search, options keep its words."""
    return _drawn(tuple(menus), list_url, is_search, get_language())


def menus_of(form: forms.BaseForm, query: QueryDict, list_url: str) -> Iterator[FilterMenu]:
    """A menu for each select of a valid form. A select's first choice filters nothing."""
    for field in form:
        chosen = str(form.data.get(field.name, ""))
        labels = {str(value): str(label) for value, label in field.field.widget.choices if value}
        options = [
            MenuOption(label, url_with(query, list_url, field.name, value), value == chosen)
            for value, label in labels.items()
        ]
        clear_url = url_with(query, list_url, field.name, "") if chosen else ""
        yield FilterMenu(field.name, str(field.label), labels.get(chosen, chosen), tuple(options), clear_url)


def url_with(query: QueryDict, list_url: str, name: str, value: str) -> str:
    """The first page of a list with another value of a field; an empty one leaves it out."""
    asked = without_place(query)
    asked.pop(name, None)
    if value:
        asked[name] = value
    return f"{list_url}?{asked.urlencode()}" if asked else list_url


@lru_cache(maxsize=500)
def _drawn(menus: tuple[FilterMenu, ...], list_url: str, is_search: bool, _language: str) -> str:
    return render_menus(menus, list_url=list_url, is_search=is_search)


def render_menus(menus: Sequence[FilterMenu], *, list_url: str, is_search: bool, typed: str = "") -> str:
    """As `draw_menus`, without keeping it. `typed` is the box of a menu that takes a text."""
    is_filtered = any(menu.value for menu in menus if menu.name != SORT)
    context = {"menus": menus, "list_url": list_url, "is_search": is_search, "is_filtered": is_filtered, "typed": typed}
    return squeezed(render_to_string("partials/_filter_menus.html", context))
