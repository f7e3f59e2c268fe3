"""What a run found: a table for people, bench.json for machines. A workload's rows replace its earlier ones."""

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import django


class Limit(StrEnum):
    AT_MOST = "≤"
    AT_LEAST = "≥"
    FASTER = "faster"  # the other takes at least so many times as long


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit for what was measured, or for its ratio to something else measured in the same run."""

    number: float
    of: str = ""  # empty: nothing else
    limit: Limit = Limit.AT_MOST

    def ratio(self, ours: float, other: float) -> float:
        return other / ours if self.limit is Limit.FASTER else ours / other

    def is_met(self, number: float) -> bool:
        return number <= self.number if self.limit is Limit.AT_MOST else number >= self.number

    def words(self, unit: str) -> str:
        if self.limit is Limit.FASTER:
            return f"≥ {self.number:g}× faster than {self.of}"
        return f"{self.limit} {self.number:g}× {self.of}" if self.of else f"{self.limit} {self.number:g} {unit}".strip()


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    goal: Goal
    ours: float | None = None
    other: float | None = None
    unit: str = "ms"
    p95: float | None = None
    why: str = ""  # why it wasn't measured

    @property
    def ratio(self) -> float | None:
        if self.ours is None or not self.goal.of:
            return None
        return self.goal.ratio(self.ours, self.other) if self.other else None

    @property
    def verdict(self) -> str:
        judged = self.ratio if self.goal.of else self.ours
        if judged is None:
            return f"not measured: {self.why}"
        return "met" if self.goal.is_met(judged) else "missed"


def table(results: Iterable[Mapping[str, Any]]) -> str:
    lines = ["| workload | ours | compared with | ratio | goal | verdict |", "|---|---|---|---|---|---|"]
    for each in results:
        ours, other = (_number(each[name], each["unit"]) for name in ("ours", "other"))
        lines.append(
            f"| {each['name']} | {ours} | {other} | {_number(each['ratio'])} | {each['goal']} | {each['verdict']} |"
        )
    return "\n".join(lines)


def _number(number: float | None, unit: str = "") -> str:
    return (
        "" if number is None else f"{number:,.3g} {unit}".strip() if number < 1000 else f"{number:,.0f} {unit}".strip()
    )


class Report:
    """The file bench.json of a data set."""

    def __init__(self, file: Path, about: Mapping[str, Any]) -> None:
        self.file = file
        known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        self.workloads: dict[str, dict[str, Any]] = known.get("workloads", {})
        self.about = {**about, **versions()}

    def has(self, workload: str) -> bool:
        return self.workloads.get(workload, {}).get("commit") == self.about["commit"]

    def add(self, workload: str, results: Iterable[Result], **conditions: Any) -> list[dict[str, Any]]:
        rows = [
            asdict(each) | {"ratio": each.ratio, "verdict": each.verdict, "goal": each.goal.words(each.unit)}
            for each in results
        ]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.workloads[workload] = {"commit": self.about["commit"], "at": at, **conditions, "rows": rows}
        text = json.dumps({"about": self.about, "workloads": self.workloads}, indent=1, ensure_ascii=False)
        self.file.write_text(text + "\n")
        return rows


def versions() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "django": django.__version__,
        "sqlite": sqlite3.sqlite_version,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "system": platform.platform(),
    }
