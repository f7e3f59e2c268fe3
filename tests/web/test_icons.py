"""Every icon named in code is in the sprite, the sprite has no others, and no page draws its own."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import Context, Template

from linkadmin.accounts.context import NAVIGATION
from linkadmin.links.causes import Group
from linkadmin.operations.changes import CHANGES
from linkadmin.web import icons

TONES = {"ok", "warn", "us", "bad", "info", "quiet"}
GROUPS = {group.value for group in Group}  # one is called like a tone
PAGES = Path(settings.BASE_DIR, "templates")
CODE = [path for path in Path(settings.BASE_DIR, "linkadmin").rglob("*.py") if path.name != "icons.py"]
IN_PAGES = re.compile(r'(?:\{% icon |\bicon=|\bicon\|default:)"([\w-]+)"')
OF_SEVERAL_WORDS = {
    name.removesuffix(".svg") for name in ZipFile(str(files("lucide") / "lucide.zip")).namelist() if "-" in name
}
DRAWINGS = {
    "account/factor_app.html",
    "partials/_brand.html",
    "reports/_chart.html",
}  # no icons


def test_sprite_has_exactly_the_icons_that_are_used() -> None:
    tables = {entry.icon for _label, entries in NAVIGATION for entry in entries}
    tables |= {change.page.icon for change in CHANGES.values() if change.page}
    pages = {name for page in PAGES.rglob("*.html") for name in IN_PAGES.findall(page.read_text())}
    code = {name for path in CODE for name in named(ast.parse(path.read_text()))}

    assert sorted(tables | pages | code) == icons.NAMES


def named(code: ast.AST) -> Iterator[str]:
    """Yield the icons a module names: as `icon`, after a tone, or by a hyphenated name."""
    for node in ast.walk(code):
        parts = list(ast.iter_child_nodes(node))
        for before, part in zip([None, *parts], parts, strict=False):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                follows_tone = isinstance(before, ast.Constant) and before.value in TONES
                is_icon = isinstance(node, ast.keyword) and node.arg == "icon"
                if part.value not in TONES | GROUPS and (follows_tone or is_icon or part.value in OF_SEVERAL_WORDS):
                    yield part.value


def test_icons_named_in_code_are_found() -> None:
    code = 'a = ("warn", "clock")\nb = Look(tone, icon="plug")\nc = ["wrench", "key-round"]'

    assert set(named(ast.parse(code))) == {"clock", "plug", "key-round"}


def test_no_page_draws_an_icon_of_its_own() -> None:
    texts = {str(page.relative_to(PAGES)): page.read_text() for page in PAGES.rglob("*.html")}

    assert {name for name, text in texts.items() if "<svg" in text or "<use" in text} == DRAWINGS


def test_sprite_is_a_static_file_with_every_icon_under_its_name() -> None:
    text = Path(finders.find(icons.SPRITE)).read_text()

    assert re.findall(r'<symbol id="([\w-]+)" [^>]+><\w', text) == icons.NAMES
    assert text.count("<symbol ") == text.count("</symbol>") == len(icons.NAMES)


def test_unchanged_sprite_is_not_rewritten() -> None:
    written = Path(finders.find(icons.SPRITE)).stat().st_mtime_ns

    icons.SpriteFinder()

    assert Path(finders.find(icons.SPRITE)).stat().st_mtime_ns == written


def test_an_icon_is_a_reference_to_the_sprite() -> None:
    drawn = Template('{% icon "plus" %}{% icon name 14 %}').render(Context({"name": "x"}))

    assert drawn == (
        '<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#plus"/></svg>'
        '<svg class="icon" width="14" height="14" aria-hidden="true"><use href="/static/icons.svg#x"/></svg>'
    )
