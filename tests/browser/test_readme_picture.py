"""README's picture of the links list, in light and dark. `make pictures` takes it again."""

import base64
import os
from pathlib import Path
from typing import Literal

import pytest

from tests.environment import Environment

from .helpers import Windows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCREEN = {"width": 1280, "height": 860}
MOST_BYTES = 120_000
WEBP = {"format": "webp", "quality": 82}
VISIBLE_ROWS = """
[...document.querySelectorAll("#rows tbody tr")]
  .filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length
"""


@pytest.fixture
def env(demo: Environment) -> Environment:
    return demo


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_is_small_and_shows_many_links(windows: Windows, theme: Literal["light", "dark"]) -> None:
    page = windows.window("support", viewport=SCREEN, color_scheme=theme)
    page.goto("/links/")

    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", WEBP)
    picture = base64.b64decode(taken["data"])

    assert page.evaluate(VISIBLE_ROWS) >= 12
    assert len(picture) <= MOST_BYTES
    if os.environ.get("PICTURES"):
        (DOCS / f"links-{theme}.webp").write_bytes(picture)
