"""W2: the overview, in units of F1, and its SQL beside aggregating every status change."""

from benchmarks.measure import take_turns
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Case, Run, compared

PAGE = "/"
SQL_MS = 5
AGGREGATIONS = 3  # each reads every status change


def measure(run: Run) -> list[Result]:
    results = run.compare("W2", [run.floor(), Case("overview", run.page(PAGE), (Goal(1, "F1"),))])
    sql = run.statements(PAGE)
    results.append(Result("W2 overview, SQL", Goal(SQL_MS), sql.seconds * 1000))
    facts = take_turns(
        {"facts": lambda: float(run.python("benchmarks.floors.reading", "facts"))}, rounds=AGGREGATIONS, warm_ups=0
    )
    ahead = Goal(2000, "aggregating all status changes", Limit.FASTER)
    return [*results, compared("W2 overview, SQL", ahead, sql.timing, facts["facts"])]
