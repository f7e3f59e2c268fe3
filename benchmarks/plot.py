"""Draw what pages cost as the data grows, in units of F1: `python -m benchmarks.plot FOLDER > docs/cost-over-size.svg`.

Reads the bench.json files of every size and engine in the folder.
"""

import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PAGES = {"W1 page 1": "list", "W1 search: middle, 7 characters": "search", "W2 overview": "overview"}
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
SIZES = {"S": 10_000, "M": 100_000, "L": 1_000_000}
COLORS = {"list": "#2563eb", "search": "#d97706", "overview": "#059669"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, GAP = 340, 260, 40, 36, 34, 20  # of each engine's chart
LEAST, MOST = 0.1, 100.0  # F1
Point = tuple[float, float]


def main(folder: Path) -> str:
    charts = [_chart(engine, folder, number * (WIDTH + GAP)) for number, engine in enumerate(ENGINES)]
    size = f"0 0 {2 * WIDTH + GAP} {HEIGHT}"
    style = (
        "text { font: 12px sans-serif; fill: #475569 } path { fill: none; stroke-width: 2 } .grid { stroke: #e2e8f0 }"
    )
    title = "Cost of pages in units of F1, by number of links"
    parts = [
        f"<title>{title}</title>",
        f"<style>{style}</style>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *charts,
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img">{"".join(parts)}</svg>\n'


def _chart(engine: str, folder: Path, left: int) -> str:
    lines = "".join(_line(name, points) for name, points in _points(engine, folder).items() if points)
    heading = f'<text x="{LEFT}" y="16">{ENGINES[engine]}</text>'
    return f'<g transform="translate({left})">{heading}{"".join(_grid())}{lines}</g>'


def _points(engine: str, folder: Path) -> dict[str, list[Point]]:
    """Return F1s by number of links, for each page."""
    found: dict[str, list[Point]] = {name: [] for name in PAGES.values()}
    for size, links in SIZES.items():
        file = folder / f"{engine}-{size}" / "bench.json"
        if not file.exists():
            continue
        rows = list(_rows(json.loads(file.read_text())))
        f1 = next((row["other"] for row in rows if row["goal"].endswith("F1") and row["other"]), None)
        for row in rows:
            if f1 and row["name"] in PAGES and row["ours"]:
                name = PAGES[row["name"]]
                if not any(point[0] == links for point in found[name]):
                    found[name].append((links, row["ours"] / f1))
    return found


def _rows(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for workload in report["workloads"].values():
        yield from workload["rows"]


def _grid() -> Iterator[str]:
    for f1 in (0.1, 1, 10, 100):
        y = _y(f1)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - 60}"/><text x="4" y="{y + 4:.1f}">{f1:g}</text>'
    for links in SIZES.values():
        yield f'<text x="{_x(links):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{links:,}</text>'


def _line(name: str, points: Iterable[Point]) -> str:
    places = [(_x(links), _y(f1)) for links, f1 in points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLORS[name]}"/>' for x, y in places)
    place = LEFT + 100 + 65 * list(COLORS).index(name)  # beside the heading: at the lines, names would overlap
    label = f'<text x="{place}" y="16" style="fill: {COLORS[name]}">{name}</text>'
    return f'<path d="{path}" stroke="{COLORS[name]}"/>{dots}{label}'


def _x(links: float) -> float:
    first, last = math.log10(min(SIZES.values())), math.log10(max(SIZES.values()))
    return LEFT + 20 + (math.log10(links) - first) / (last - first) * (WIDTH - LEFT - 90)


def _y(f1: float) -> float:
    first, last = math.log10(LEAST), math.log10(MOST)
    share = (math.log10(min(max(f1, LEAST), MOST)) - first) / (last - first)
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])))
