"""W10: CSV of every link beside COPY TO STDOUT, or a cursor and `csv`."""

import csv
import io

from benchmarks.engines import NotMeasured
from benchmarks.measure import take_turns
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Run, rates
from benchmarks.servers import memory
from benchmarks.watch import Watcher

PAGE = "/links/export/"
ROUNDS = 3
MEMORY_MB, FIRST_BYTE_MS = 20, 300


def measure(run: Run) -> list[Result]:
    floor = "cursor and csv" if run.rows.engine == "sqlite" else "COPY TO STDOUT"
    goal = Goal(run.either(sqlite=0.8, postgresql=0.7), floor, Limit.AT_LEAST)
    found = take_turns(
        {
            "ours": lambda: _whole(run),
            "floor": lambda: float(run.python("benchmarks.floors.reading", "export")),
        },
        rounds=ROUNDS,
        warm_ups=0,
    )
    results = [rates(f"W10 CSV of {run.size.links:,} links", goal, run.size.links, found["ours"], found["floor"])]
    if isinstance(found["ours"], NotMeasured):
        return results
    watcher, before = Watcher(run.product), memory(run.product.pid)
    with watcher.watching():
        _whole(run)
    grown = memory(run.product.pid) - before
    return [
        *results,
        Result("W10 memory", Goal(MEMORY_MB), grown, unit="MB"),
        watcher.result("W10 list meanwhile, p95", 1.3),
        Result("W10 first byte", Goal(FIRST_BYTE_MS), run.product.get(PAGE).first_byte * 1000),
    ]


def _whole(run: Run) -> float:
    try:
        answer = run.product.get(PAGE, Accept_Encoding="identity")
    except NotMeasured:
        raise NotMeasured("not built yet") from None
    if sum(1 for _ in csv.reader(io.StringIO(answer.body.decode()))) < run.size.links:
        raise NotMeasured("the export lacks links")
    return answer.seconds
