"""What the palette finds. Packages add entries and sources; each finds only what its reader may open."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.db.models import TextChoices
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Right, may
from linkadmin.providers.names import folded
from linkadmin.search.pasted import Pasted

MOST_SHOWN = 6  # of a group, while something is searched for


class PaletteGroup(TextChoices):
    """In the order they're shown."""

    CUSTOMERS = "customers", _("Customers")
    LINKS = "links", _("Links")
    INSTITUTIONS = "institutions", _("Institutions")
    REQUESTS = "requests", _("Provider requests")
    OPERATIONS = "operations", _("Operations")
    DELIVERIES = "deliveries", _("Deliveries")
    PAGES = "pages", _("Pages")
    ACTIONS = "actions", _("Actions")


@dataclass(frozen=True, slots=True)
class Result:
    label: str
    url: str
    icon: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """A page or action that is always there, found by its label. Without a right, everybody may open it."""

    group: PaletteGroup
    label: str | Promise
    view: str
    icon: str
    right: Right | None = None

    def is_for(self, reader: User) -> bool:
        return self.right is None or may(reader, self.right)


Found: TypeAlias = tuple[PaletteGroup, Result]
Source: TypeAlias = Callable[[User, Pasted], Iterable[Found]]
ENTRIES: list[PaletteEntry] = []
SOURCES: list[Source] = []


def find(reader: User, pasted: Pasted) -> list[tuple[PaletteGroup, list[Result]]]:
    found: dict[PaletteGroup, dict[str, Result]] = defaultdict(dict)
    for group, result in [*_entries(reader, pasted), *(each for ask in SOURCES for each in ask(reader, pasted))]:
        if pasted.is_empty or len(found[group]) < MOST_SHOWN:
            found[group].setdefault(result.url, result)
    others = {url for group, results in found.items() if group is not PaletteGroup.PAGES for url in results}
    for url in others & found[PaletteGroup.PAGES].keys():  # a pasted URL of what is found anyway
        del found[PaletteGroup.PAGES][url]
    return [(group, list(found[group].values())) for group in PaletteGroup if found[group]]


def has_words(label: str, words: str) -> bool:
    return all(word in folded(label) for word in folded(words).split())


def _entries(reader: User, pasted: Pasted) -> Sequence[Found]:
    if not pasted.words and not pasted.is_empty:
        return []
    return [
        (each.group, Result(str(each.label), reverse(each.view), each.icon))
        for each in ENTRIES
        if each.is_for(reader) and has_words(str(each.label), pasted.words)
    ]
