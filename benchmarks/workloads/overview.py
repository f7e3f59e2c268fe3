"""W2: the overview, in units of F1."""

from benchmarks.results import Goal, Result
from benchmarks.run import F1, Run


def measure(run: Run) -> list[Result]:
    return [run.compare("W2 overview", "/", Goal("F1", 1.0), F1)]
