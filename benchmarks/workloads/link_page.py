"""W3: the page of one link with 50 and with 5,000 entries in its timeline, in units of F1."""

import re
from collections.abc import Sequence

from benchmarks.results import Goal, Result
from benchmarks.run import Case, Run

STATEMENTS = 6  # besides those for session, user and audit
FIRST_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE) "?(\w+)')
SESSION, USER, AUDIT = ("accounts_staffsession", "django_session"), "accounts_user", "audit_"
SHORT = "50 entries"


def measure(run: Run) -> list[Result]:
    short, long = f"/links/{run.samples['link']}/", f"/links/{run.samples['long_link']}/"
    cases = [
        run.floor(),
        Case(SHORT, run.page(short), (Goal(0.9, "F1"),)),
        Case("5,000 entries", run.page(long), (Goal(0.9, "F1"), Goal(1.2, SHORT))),
        Case("history, 5,000 entries", run.page(f"{long}history/"), (Goal(0.9, "F1"),)),
    ]
    own = own_tables(run.statements(short).statements)
    count = Result("W3 statements besides session, user and audit", Goal(STATEMENTS), len(own), unit="")
    return [*run.compare("W3", cases), count]


def own_tables(statements: Sequence[str]) -> list[str]:
    """Return the first table of each statement, without those for the session, its user, and audit."""
    found = [each[1] for each in map(FIRST_TABLE.search, statements) if each]
    found.remove(USER)
    return [table for table in found if table not in SESSION and not table.startswith(AUDIT)]
