"""Looks at states of pages in all widths and both themes, as people and machines do."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, ViewportSize

from .helpers import THEMES, Windows, barriers_in
from .tour import Shot

SIZES: tuple[ViewportSize, ...] = (  # widest first: a state reached on a wide screen stays on a narrow one
    {"width": 1920, "height": 1080},
    {"width": 1280, "height": 860},
    {"width": 768, "height": 1024},
    {"width": 360, "height": 740},
)
ZOOMED: ViewportSize = {"width": 640, "height": 430}  # the second of them at 200 %
MAIN_SIZES = (SIZES[1], ZOOMED, SIZES[3])
LAYOUT_FAULTS = (Path(__file__).parent / "layout_faults.js").read_text()
SETTLED = """
new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  .then(() => document.getAnimations()
    .filter((each) => each.effect.getTiming().iterations < Infinity)
    .forEach((each) => each.finish()))
"""
FOLDER = os.environ.get("SCREENSHOTS")
EXPECTED = (400, 403, 404, 429, 500, 503)  # answers that some of the states are


def look_at(windows: Windows, shots: Iterable[Shot], sizes: Sequence[ViewportSize] = SIZES) -> None:
    """Open each state and fail with every fault. Pictures and a list of faults go into the folder SCREENSHOTS."""
    faults = _faults(windows, shots, sizes)
    if FOLDER:
        with Path(FOLDER, "faults.txt").open("a") as report:
            report.writelines(f"{fault}\n" for fault in faults)
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def _faults(windows: Windows, shots: Iterable[Shot], sizes: Sequence[ViewportSize]) -> list[str]:
    windows.expect_status(*EXPECTED)
    opened: dict[str, Page] = {}
    faults: dict[str, list[str]] = {}  # and where each was seen
    for shot in shots:
        if shot.person not in opened:
            opened[shot.person] = windows.window(shot.person, reduced_motion="reduce", color_scheme="light")
        page = opened[shot.person]
        least, most = shot.widths
        fitting = [size for size in sizes if least <= size["width"] <= most]
        try:
            _go(page, shot, fitting[0])
        except (AssertionError, PlaywrightError) as error:
            faults[f"{shot}: not reached: {str(error).strip()[:200]}"] = []
            continue
        for size in fitting:
            for fault, theme in _looked_at(page, shot, size):
                faults.setdefault(f"{shot}: {fault}", []).append(f"{size['width']} {theme}".strip())
        faults |= {f"{shot}: {problem}": [] for problem in windows.problems}
        windows.problems.clear()
    return [f"{fault} ({', '.join(seen)})" if seen else fault for fault, seen in faults.items()]


def _go(page: Page, shot: Shot, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.goto(shot.url)
    if shot.act:
        shot.act(page)


def _looked_at(page: Page, shot: Shot, size: ViewportSize) -> Iterator[tuple[str, str]]:
    """Yield each fault and, if it depends on the theme, the theme."""
    page.set_viewport_size(size)
    page.evaluate(SETTLED)
    yield from ((fault, "") for fault in page.evaluate(LAYOUT_FAULTS))
    for theme, rules in THEMES.items():
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        yield from ((barrier, theme) for barrier in barriers_in(page, rules))
        if FOLDER:
            name = re.sub(r"\W+", "-", shot.name.lower())
            page.screenshot(path=Path(FOLDER, f"{name}-{size['width']}-{theme}.png"), full_page=True)
