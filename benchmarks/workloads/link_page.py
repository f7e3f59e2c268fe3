"""W3: the page of one link with 50 and with 5,000 entries in its timeline, in units of F1."""

import re

from benchmarks.results import Goal, Result
from benchmarks.run import Case, Run

STATEMENTS = 6  # besides those for session, user and audit
BESIDES = re.compile(r'"(accounts_\w+|django_session|audit_\w+)"|^(SAVEPOINT|RELEASE|BEGIN|COMMIT|PRAGMA)', re.I)
SHORT = "50 entries"


def measure(run: Run) -> list[Result]:
    short, long = f"/links/{run.samples['link']}/", f"/links/{run.samples['long_link']}/"
    cases = [
        run.floor(),
        Case(SHORT, run.page(short), (Goal(0.9, "F1"),)),
        Case("5,000 entries", run.page(long), (Goal(0.9, "F1"), Goal(1.2, SHORT))),
        Case("history, 5,000 entries", run.page(f"{long}history/"), (Goal(0.9, "F1"),)),
    ]
    own = [sql for sql in run.statements(short).statements if not BESIDES.search(sql)]
    count = Result("W3 statements besides session, user and audit", Goal(STATEMENTS), len(own), unit="")
    return [*run.compare("W3", cases), count]
