"""Measure the product: `python -m benchmarks --size S --engine sqlite --workloads 1,2`."""

import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from .engines import ENGINES, Database, NotMeasured, database
from .measure import is_noisy, machine
from .results import Result, table, write
from .run import Run
from .servers import site
from .sizes import SIZES, Size
from .workloads import WORKLOADS

FOLDER = Path(os.environ.get("LINKADMIN_BENCHMARKS") or "var/benchmarks")


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--engine", choices=ENGINES, default="")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="numbers separated by commas")
    options = parser.parse_args()
    workloads = options.workloads.split(",")
    if unknown := sorted(set(workloads) - WORKLOADS.keys()):
        parser.error(f"unknown workloads: {', '.join(unknown)}")
    for number in (signal.SIGTERM, signal.SIGHUP):  # unwinds, so that no server is left running
        signal.signal(number, lambda *_: sys.exit(1))
    for engine in [options.engine] if options.engine else ENGINES:
        try:
            _measure(SIZES[options.size], engine, workloads)
        except NotMeasured as missing:
            print(f"{engine}: not measured, {missing}")


def _measure(size: Size, engine: str, workloads: list[str]) -> None:
    folder = (FOLDER / f"{engine}-{size.name}").resolve()
    if not (folder / "built.json").exists():
        shutil.rmtree(folder, ignore_errors=True)  # half a data set, if the last build was interrupted
    folder.mkdir(parents=True, exist_ok=True)
    with database(engine, folder) as rows:
        if not (folder / "built.json").exists():
            _python(rows, "django", "makekeys", "--verbosity", "0")
            _python(rows, "benchmarks.data", size.name)
            _python(rows, "benchmarks.peers.fill", settings="benchmarks.peers.settings")
            (folder / "built.json").write_text(json.dumps({"size": size.name}))
        _python(rows, "django", "collectstatic", "--noinput", "--verbosity", "0")
        session = _python(rows, "benchmarks.sign_in").strip()
        peer_session = _python(rows, "benchmarks.peers.fill", "sign-in", settings="benchmarks.peers.settings").strip()
        samples = json.loads(_python(rows, "benchmarks.samples"))
        before = machine()
        with (
            site(rows, "benchmarks.floors.settings", session=session) as product,
            site(rows, "benchmarks.peers.settings", session=peer_session) as peer,
        ):
            run = Run(product, peer, size, samples)
            results = [result for number in workloads for result in WORKLOADS[number](run)]
        after = machine()
    _report(folder, engine, size, results, before, after)


def _python(rows: Database, module: str, *arguments: str, settings: str = "linkadmin.settings") -> str:
    """Run a module with Django set up for the database; return what it prints."""
    environment = rows.environment | {"DJANGO_SETTINGS_MODULE": settings}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _report(
    folder: Path,
    engine: str,
    size: Size,
    results: list[Result],
    before: dict[str, float],
    after: dict[str, float],
) -> None:
    noisy = is_noisy(before, after)
    about = {"engine": engine, "size": size.name, "links": size.links, "before": before, "after": after, "noisy": noisy}
    write(folder / "bench.json", results, about)
    heading = f"{engine}, {size.links:,} links, load {before['load']:.1f} to {after['load']:.1f}"
    print(f"\n{heading}{': noisy, decides nothing' if noisy else ''}\n\n{table(results)}")


if __name__ == "__main__":
    main()
