"""W1: what the counts cost those who change links, and what our indexes cost a change of many."""

from functools import partial

from benchmarks.measure import take_turns
from benchmarks.results import Goal, Result
from benchmarks.run import Run, compared

CHANGES = {"S": 20, "M": 100, "L": 100}  # links of each writer, which fail and work again
WRITERS = 8
PART = 100  # of all links, at once
ROUNDS = 3


def measure(run: Run) -> list[Result]:
    one_by_one = {way: (way, str(WRITERS), str(CHANGES[run.size.name])) for way in ("counted", "uncounted")}
    at_once = {way: (way, str(run.size.links // PART)) for way in ("ours", "peers")}
    once = {way: partial(_seconds, run, *arguments) for way, arguments in {**one_by_one, **at_once}.items()}
    found = take_turns(once, rounds=ROUNDS, warm_ups=0)
    counted = Goal(1.15, "the same without counts")
    indexed = Goal(2.7, "Django's indexes")
    changes = CHANGES[run.size.name] * 2
    return [
        compared(f"W1 {changes} changes by each of {WRITERS}", counted, found["counted"], found["uncounted"]),
        compared("W1 bulk status update", indexed, found["ours"], found["peers"]),
    ]


def _seconds(run: Run, *arguments: str) -> float:
    return float(run.python("benchmarks.status_changes", *arguments))
