"""W11: the test suite without browser, on two processes, scaled to 2,000 tests."""

import re
import subprocess
import sys

from benchmarks.engines import NotMeasured
from benchmarks.results import Goal, Result
from benchmarks.run import Run

UNMARKED = "not servers and not browser and not processes and not contracts and not thorough and not deep"
SUITE = ["-n", "2", "--dist", "loadfile", "-q", "--durations", "1", "-p", "no:cacheprovider"]
ENDED = re.compile(r"(\d+) passed.* in ([\d.]+)s")
SLOWEST = re.compile(r"^([\d.]+)s (?:call|setup|teardown) ", re.M)
TESTS, SECONDS, SLOWEST_SECONDS = 2000, 60, 1


def measure(run: Run) -> list[Result]:
    if run.rows.engine != "sqlite":
        raise NotMeasured("the suite without servers has SQLite only")
    command = [sys.executable, "-m", "pytest", *SUITE, "-m", f"{UNMARKED} and not performance"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    ended = ENDED.search(said)
    if ended is None or " failed" in said:
        raise NotMeasured("tests fail")
    count, seconds = int(ended[1]), float(ended[2])
    slowest = max(map(float, SLOWEST.findall(said)), default=0.0)
    return [
        Result(f"W11 {count:,} tests, per {TESTS:,}", Goal(SECONDS), seconds / count * TESTS, unit="s"),
        Result("W11 slowest test", Goal(SLOWEST_SECONDS), slowest, unit="s"),
    ]
