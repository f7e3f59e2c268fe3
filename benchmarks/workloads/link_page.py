"""W3: the page of one link with its timeline, in units of F1."""

from benchmarks.results import Goal, Result
from benchmarks.run import F1, Run


def measure(run: Run) -> list[Result]:
    return [run.compare("W3 link", f"/links/{run.samples['link']}/", Goal("F1", 0.9), F1)]
