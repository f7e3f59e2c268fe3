"""The icons of the pages, opened before anybody waits for them.

The first use of an icon opens the archive of all 1,700. A page has dozens, so the first reader would wait for seconds.
"""

import re
import threading
from pathlib import Path

from django.conf import settings
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

_IN_TEMPLATES = re.compile(r"""\{% lucide ["']([a-z0-9-]+)["']""")


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
            lucide(name)
        except IconDoesNotExist:
            continue  # the page that asks for it says so
