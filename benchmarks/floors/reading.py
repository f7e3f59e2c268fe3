"""What reading many rows costs at least. `python -m benchmarks.floors.reading export` prints the seconds.

- export (W10): the list's nine columns of every link, as CSV: COPY TO STDOUT, or a cursor and `csv` on SQLite.
- facts (W2): the trend, aggregated from every status change.
"""

import csv
import os
import sys
import time
from typing import Any

from .raw import connect, is_sqlite

LINKS = """
SELECT peers_link.id, external_id, peers_enduser.name, display_name, peers_integration.name,
    health, cause, health_since, last_good_at
FROM peers_link
JOIN peers_enduser ON peers_enduser.id = end_user_id
JOIN peers_institution ON peers_institution.id = institution_id
JOIN peers_integration ON peers_integration.id = peers_link.integration_id
"""
FACTS = "SELECT date(at) AS day, new, COUNT(*) FROM links_healthchange GROUP BY 1, 2"


def export() -> None:
    connection = connect()
    with open(os.devnull, "wb") as sink:
        if not is_sqlite(connection):
            with connection.cursor().copy(f"COPY ({LINKS}) TO STDOUT (FORMAT csv)") as copy:
                for block in copy:
                    sink.write(block)
            return
    with open(os.devnull, "w", newline="") as text:
        csv.writer(text).writerows(connection.execute(LINKS))


def facts() -> None:
    connection: Any = connect(product=True)
    connection.execute(FACTS).fetchall()


if __name__ == "__main__":
    started = time.perf_counter()
    {"export": export, "facts": facts}[sys.argv[1]]()
    print(time.perf_counter() - started)
