"""The icons of the pages: each is drawn once, and opened before anybody waits for it.

The first use of an icon opens the archive of all 1,700, and every use copies and writes a tree of XML. A page has
dozens, so they cost as much as its rows. Templates get this tag where they load `lucide`.
"""

import re
import threading
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from lucide import IconDoesNotExist
from lucide.templatetags import lucide as library

register = template.Library()
_IN_TEMPLATES = re.compile(r"""\{% lucide ["']([a-z0-9-]+)["']""")
_DRAWN = 2_000  # icons with their sizes and attributes; templates hold a few hundred


@register.simple_tag
@lru_cache(maxsize=_DRAWN)
def lucide(name: str, *, size: int | None = 24, **attributes: object) -> str:
    """Return an icon as SVG."""
    drawn: str = library.lucide(name, size=size, **attributes)
    return drawn


def names() -> set[str]:
    """Return the names of all icons that templates ask for."""
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    return {name for page in pages for name in _IN_TEMPLATES.findall(page.read_text(encoding="utf-8"))}


def warm_up() -> None:
    """Open every icon beside the start of the process."""
    threading.Thread(target=_open_all, name="icons", daemon=True).start()


def _open_all() -> None:
    for name in names():
        try:
            library.lucide(name)
        except IconDoesNotExist:
            continue  # the page that asks for it says so
