"""What a workload is given: the sites, the database, and the rows it asks for by name."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .engines import Database, NotMeasured
from .measure import Measured, Timing, take_turns
from .results import Goal, Result
from .servers import Site
from .sizes import Size

F0, F1 = "/floors/0/", "/floors/1/"
ADMIN, TABLES2 = "/admin/peers/link/", "/links/"  # of the peers


@dataclass(frozen=True, slots=True)
class Case:
    """Something to be timed, and its goals. Without goals, others are compared with it."""

    name: str
    once: Measured
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSql:
    seconds: float  # in all, median of several requests
    statements: list[str]

    @property
    def timing(self) -> Timing:
        return Timing(self.seconds, self.seconds, self.seconds, self.seconds)


@dataclass(frozen=True, slots=True)
class Run:
    rows: Database
    product: Site
    peer: Site
    size: Size
    samples: Mapping[str, Any]  # IDs and cursors that occur, by what they are

    def page(self, path: str, *, role: str = "manager", **headers: str) -> Measured:
        return lambda: self.product.get(path, role=role, **headers).seconds

    def floor(self, path: str = F1) -> Case:
        return Case("F0" if path == F0 else "F1", self.page(path))

    def admin(self, query: str = "") -> Measured:
        return lambda: self.peer.get(ADMIN + query, role="peer").seconds

    def either(self, *, sqlite: float, postgresql: float) -> float:
        return sqlite if self.rows.engine == "sqlite" else postgresql

    def compare(self, label: str, cases: Iterable[Case]) -> list[Result]:
        """Let all cases take turns; return a row per goal."""
        cases = list(cases)
        timings = take_turns({case.name: case.once for case in cases}, rounds=self.size.rounds)
        return [
            compared(f"{label} {case.name}", goal, timings[case.name], timings.get(goal.of) if goal.of else None)
            for case in cases
            for goal in case.goals
        ]

    def statements(self, path: str) -> "PageSql":
        found = json.loads(self.python("benchmarks.statements", self.product.sessions["manager"], path))[path]
        return PageSql(found["seconds"], found["statements"])

    def python(self, module: str, *arguments: str, settings: str = "linkadmin.settings", **variables: str) -> str:
        """Run a module on the database; return what it prints."""
        environment = self.rows.environment | {"DJANGO_SETTINGS_MODULE": settings, **variables}
        return run_python(environment, module, *arguments)


def run_python(environment: Mapping[str, str], module: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done = subprocess.run(command, env=dict(environment), check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise NotMeasured(f"{module} failed with status {done.returncode}")
    return done.stdout.strip()


def rates(
    name: str, goal: Goal, count: int, ours: Timing | NotMeasured, other: Timing | NotMeasured | None = None
) -> Result:
    """Return a row about how many of `count` things two timings do in a second."""
    result = compared(name, goal, ours, other)
    a_second = [None if each is None else count * 1000 / each for each in (result.ours, result.other)]
    return replace(result, ours=a_second[0], other=a_second[1], unit="/s", p95=None)


def compared(name: str, goal: Goal, ours: Timing | NotMeasured, other: Timing | NotMeasured | None = None) -> Result:
    """Return a row about two timings, in milliseconds."""
    if isinstance(ours, NotMeasured):
        return Result(name, goal, why=str(ours))
    theirs = other.p50 * 1000 if isinstance(other, Timing) else None
    why = f"{goal.of}: {other or 'nothing'}" if theirs is None else ""
    return Result(name, goal, ours.p50 * 1000, theirs, p95=ours.p95 * 1000, why=why)
