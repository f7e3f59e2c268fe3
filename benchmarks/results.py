"""What a run found: a table for people, bench.json for machines."""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that must not be above, or with `faster` not below, a number."""

    of: str  # what `ours` is divided by, or divides if `faster`
    number: float
    faster: bool = False  # the other is so many times slower

    def ratio(self, ours: float, other: float) -> float:
        return other / ours if self.faster else ours / other

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.number if self.faster else ratio <= self.number

    def __str__(self) -> str:
        return f"≥ {self.number:g}× faster than {self.of}" if self.faster else f"≤ {self.number:g}× {self.of}"


@dataclass(frozen=True, slots=True)
class Result:
    workload: str
    ours: float  # seconds
    other: float
    goal: Goal
    p95: float

    @property
    def ratio(self) -> float:
        return self.goal.ratio(self.ours, self.other)

    @property
    def verdict(self) -> str:
        return "met" if self.goal.is_met(self.ratio) else "missed"


def table(results: Iterable[Result]) -> str:
    lines = ["| workload | ours | compared with | ratio | goal | verdict |", "|---|---|---|---|---|---|"]
    for each in results:
        times = f"{each.ours * 1000:.1f} ms | {each.other * 1000:.1f} ms"
        lines.append(f"| {each.workload} | {times} | {each.ratio:.2f} | {each.goal} | {each.verdict} |")
    return "\n".join(lines)


def write(path: Path, results: Iterable[Result], about: Mapping[str, Any]) -> None:
    rows = [asdict(each) | {"ratio": each.ratio, "verdict": each.verdict, "goal": str(each.goal)} for each in results]
    about = {"python": platform.python_version(), "machine": platform.machine(), **about}
    path.write_text(json.dumps({**about, "results": rows}, indent=2, ensure_ascii=False) + "\n")
