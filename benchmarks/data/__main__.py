"""Run the stages that a data set lacks. Each is finished before built.json names it.

An interrupted stage leaves half its rows, so nothing more is built on them.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django has to be set up first
from django.db import connection  # noqa: E402

from benchmarks.sizes import Size  # noqa: E402

from . import events, history, links, managers, sandbox, work  # noqa: E402

STAGES: dict[str, Callable[[Size], None]] = {
    "links": links.build,
    **({"sandbox": sandbox.build} if sandbox.IS_OFFERED else {}),
    "history": history.build,
    "counts": history.count,
    "deliveries": work.build_deliveries,
    "operations": work.build_operations,
    "jobs": work.build_jobs,
    "full checks": work.build_full_checks,
    "audit": events.build,
    **({"account managers": managers.build} if managers.IS_OFFERED else {}),
    "counts of people": history.count,
}


def main(size: Size, folder: Path) -> None:
    built_file = folder / "built.json"
    built: dict[str, float] = json.loads(built_file.read_text()) if built_file.exists() else {}
    begun = folder / "begun.txt"
    if begun.exists() and begun.read_text() not in built:
        sys.exit(f"Building {begun.read_text()} was interrupted. Delete {folder} to build the data set again.")
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    if not (missing := [name for name in STAGES if name not in built]):
        return
    for name in missing:
        begun.write_text(name)
        started = time.monotonic()
        STAGES[name](size)
        built[name] = round(time.monotonic() - started)
        built_file.write_text(json.dumps(built))
        print(f"{size.name}: {name} built in {built[name]:.0f} s", file=sys.stderr, flush=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main(Size.from_arguments(*sys.argv[2:]), Path(sys.argv[1]))
