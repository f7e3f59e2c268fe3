"""Measure the product: `python -m benchmarks --size S --engine sqlite --workloads 1,2`.

A data set is built once. Without --workloads, those that this commit has measured already are left out.
"""

import json
import os
import shutil
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

from .engines import ENGINES, Database, NotMeasured, database
from .measure import is_noisy, machine
from .results import Goal, Report, Result, table
from .run import Run, run_python
from .servers import web
from .sizes import SIZES, Size
from .workloads import WORKLOADS

FOLDER = Path(os.environ.get("LINKADMIN_BENCHMARKS") or "var/benchmarks")
PEERS = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--engine", default="", help="sqlite or postgresql; both by default")
    parser.add_argument("--workloads", default="", help="numbers separated by commas; all by default")
    options = parser.parse_args()
    workloads = options.workloads.split(",") if options.workloads else []
    if unknown := sorted(set(workloads) - WORKLOADS.keys()):
        parser.error(f"unknown workloads: {', '.join(unknown)}")
    engines = [each for each in ENGINES if each.startswith(options.engine.replace("pg", "postgresql"))]
    for number in (signal.SIGTERM, signal.SIGHUP):  # unwinds, so that no server is left running
        signal.signal(number, lambda *_: sys.exit(1))
    for engine in engines or parser.error(f"unknown engine: {options.engine}"):
        try:
            _measure(SIZES[options.size], engine, workloads)
        except NotMeasured as missing:
            print(f"{engine}: not measured, {missing}")


def _measure(size: Size, engine: str, workloads: list[str]) -> None:
    folder = (FOLDER / f"{engine}-{size.name}").resolve()
    if not (folder / "built.json").exists():
        shutil.rmtree(folder, ignore_errors=True)  # half a data set, if the last build was interrupted
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder / "bench.json", {"engine": engine, "size": size.name, "links": size.links})
    with database(engine, folder) as rows:
        ours = rows.environment | {"DJANGO_SETTINGS_MODULE": "linkadmin.settings"}
        build(rows, size)
        run_python(ours, "django", "collectstatic", "--noinput", "--verbosity", "0")
        sessions = json.loads(run_python(ours, "benchmarks.sign_in"))
        peer_session = {"peer": run_python(rows.environment | PEERS, "benchmarks.peers.fill", "sign-in")}
        for number in workloads or [each for each in WORKLOADS if not report.has(each)]:
            samples = json.loads(run_python(ours, "benchmarks.samples"))
            before = machine()
            with (
                web(rows, sessions=sessions) as product,
                web(rows, PEERS["DJANGO_SETTINGS_MODULE"], sessions=peer_session) as peer,
            ):
                results = _results(number, Run(rows, product, peer, size, samples))
            after = machine()
            noisy = is_noisy(before, after)
            found = report.add(number, results, before=before, after=after, noisy=noisy)
            heading = f"W{number}, {engine}, {size.links:,} links, load {before['load']:.1f} to {after['load']:.1f}"
            print(f"\n{heading}{': noisy, decides nothing' if noisy else ''}\n\n{table(found)}", flush=True)


def _results(number: str, run: Run) -> list[Result]:
    results = []
    for measure in WORKLOADS[number]:
        try:
            results += measure(run)
        except NotMeasured as why:
            results.append(Result(f"W{number}: {measure.__module__.rpartition('.')[2]}", Goal(0), why=str(why)))
    return results


def build(rows: Database, size: Size, *, with_peers: bool = True) -> None:
    """Build what the data set lacks. Migrations that are newer than it are applied."""
    environment = rows.environment | {"DJANGO_SETTINGS_MODULE": "linkadmin.settings"}
    if not (rows.folder / "data" / "keys").exists():
        run_python(environment, "django", "makekeys", "--verbosity", "0")
    run_python(environment, "benchmarks.data", str(rows.folder), *size.arguments)
    copied = rows.folder / "peers.json"
    if with_peers and not copied.exists():
        run_python(rows.environment | PEERS, "benchmarks.peers.fill")
        copied.write_text("{}\n")


if __name__ == "__main__":
    main()
