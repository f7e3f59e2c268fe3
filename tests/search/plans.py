"""How the database executes statements."""

import re
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

# Signs of a search without an index, and reads of a whole table of ours; integrations and staff are few. FTS5 calls
# every look-up a SCAN.
WITHOUT_INDEX = re.compile(
    r"ESCAPE|UPPER\(|REPLACE\(|Seq Scan on (?!\w+_(?:integration|user)\b)|"
    r"SCAN [a-z]+_(?!(?:integration|user)\b|\w+ (?:VIRTUAL|USING INDEX delivery_due))"
)


def plans(run: Callable[[], object]) -> str:
    """Return the queries that something executes, and their plans."""
    with CaptureQueriesContext(connection) as captured:
        run()
    queries = [each["sql"] for each in captured.captured_queries if each["sql"].lstrip().startswith(("SELECT", "WITH"))]
    lines = [*queries]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read faster without any index
        for query in queries:
            cursor.execute(f"{'EXPLAIN QUERY PLAN' if connection.vendor == 'sqlite' else 'EXPLAIN'} {query}")
            lines += ["  ".join(map(str, row)) for row in cursor.fetchall()]
    return "\n".join(lines)
