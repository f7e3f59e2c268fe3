"""W9: appending to the audit log with one and four writers, and verifying it, compared with their minimum cost."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.measure import take_turns
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Run, compared, rates

APPENDS = {"S": 200, "M": 1000, "L": 1000}
WRITERS = (1, 4)
ROUNDS = 3


def measure(run: Run) -> list[Result]:
    return [*_appends(run), *_verification(run)]


def _appends(run: Run) -> list[Result]:
    count = APPENDS[run.size.name]
    ways = {
        "ours": ("benchmarks.audit_events", "append"),
        "bare": ("benchmarks.floors.audit", "bare"),
        "chained": ("benchmarks.floors.audit", "chained"),
    }
    results = []
    run.python("benchmarks.floors.audit", "prepare")
    for writers in WRITERS:
        once = {name: partial(_together, run, writers, *way, str(count)) for name, way in ways.items()}
        found = take_turns(once, rounds=ROUNDS, warm_ups=0)
        label = f"W9 {count:,} appends by each of {writers}" if writers > 1 else f"W9 {count:,} appends"
        results += [
            rates(label, Goal(0.75, "bare writer", Limit.AT_LEAST), count * writers, found["ours"], found["bare"]),
            rates(label, Goal(1.7, "chained writer", Limit.AT_LEAST), count * writers, found["ours"], found["chained"]),
        ]
    return results


def _together(run: Run, writers: int, module: str, *arguments: str) -> float:
    """Return the seconds of the slowest of several processes that write at the same time."""
    with ThreadPoolExecutor(writers) as pool:
        return max(pool.map(lambda _: float(run.python(module, *arguments)), range(writers)))


def _verification(run: Run) -> list[Result]:
    limit = run.either(sqlite=1.4, postgresql=2)
    found = take_turns(
        {
            "ours": lambda: float(run.python("benchmarks.audit_events", "verify")),
            "hmac": lambda: float(run.python("benchmarks.floors.audit", "hmac", str(run.size.links))),
        },
        rounds=ROUNDS,
        warm_ups=0,
    )
    return [
        compared(f"W9 verify {run.size.links:,} events", Goal(limit, "HMAC loop"), found["ours"], found["hmac"]),
        Result("W9 verify from checkpoints", Goal(1.8, "verify", Limit.FASTER), why="not built yet"),
    ]
