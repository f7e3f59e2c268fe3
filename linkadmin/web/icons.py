"""Icons: one sprite, built from the installed lucide icons when static files are collected, and the tag that shows one.

Browsers fetch the sprite once, so pages hold short references instead of dozens of drawings.
"""

import re
from functools import cache
from importlib.resources import files
from zipfile import ZipFile

from django import template
from django.conf import settings
from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.storage import FileSystemStorage
from django.templatetags.static import static
from django.utils.html import format_html

register = template.Library()

SPRITE = "icons.svg"
_NAMED = """
    activity book-check book-open-text check chevron-down chevron-left chevron-right chevrons-left chevrons-right
    circle-alert circle-check circle-dashed circle-question-mark circle-slash circle-x clock cloud-off copy
    database database-zap download ellipsis eye eye-off file-text flask-conical gauge heart-pulse history hourglass
    inbox info key-round keyboard landmark layout-dashboard link list-checks lock log-out mail-open menu
    message-square-lock pencil plug plus radio-tower refresh-cw scroll-text search search-x send shield-alert
    shield-check signature sliders-horizontal smartphone sticky-note sun-moon trash-2 triangle-alert user
    user-cog users webhook wrench x
"""
NAMES = _NAMED.split()
_STROKES = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'


@register.simple_tag
@cache
def icon(name: str, size: int | None = None) -> str:
    """`size` is in pixels. Without it, as large as the text around it. CSS can override both."""
    sized = format_html(' width="{0}" height="{0}"', size) if size else ""
    return format_html('<svg class="icon"{} aria-hidden="true"><use href="{}#{}"/></svg>', sized, static(SPRITE), name)


def sprite() -> str:
    with (files("lucide") / "lucide.zip").open("rb") as archive, ZipFile(archive) as icons:
        drawn = "".join(_symbol(name, icons.read(f"{name}.svg").decode()) for name in NAMES)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'


class SpriteFinder(BaseStorageFinder):
    """Finds the sprite among static files. Rewrites it only when it has changed."""

    def __init__(self) -> None:
        folder, drawn = settings.DATA_DIR / "icons", sprite()
        file = folder / SPRITE
        if not file.exists() or file.read_text() != drawn:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(drawn)
        super().__init__(FileSystemStorage(folder))


def _symbol(name: str, svg: str) -> str:
    inner = re.sub(r"\s*\n\s*", "", svg.partition(">")[2].rpartition("<")[0])
    return f'<symbol id="{name}" viewBox="0 0 24 24" {_STROKES}>{inner}</symbol>'
