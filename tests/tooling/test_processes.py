"""Running programs as a group, with real ones: all stop in time, and none remains."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkadmin.demo.processes import STOP_SECONDS
from tests.waiting import BUSY_SECONDS, wait_until

pytestmark = pytest.mark.processes

MANAGER = """
import os, sys
from linkadmin.demo.processes import run_together
sys.exit(run_together({name: sys.argv[2:] for name in sys.argv[1].split()}, env=os.environ))
"""
# Interrupt startup as soon as `count` programs have been started.
ASKED_AFTER = """
import multiprocessing, os, signal
real_start, started = multiprocessing.Process.start, []
def start(process):
    real_start(process)
    started.append(process)
    if len(started) == {count}:
        os.killpg(0, signal.SIGTERM)
multiprocessing.Process.start = start
"""
# Each program creates a file named after its process ID.
PATIENT = "import os, time; open(f'program-{os.getpid()}', 'w').close(); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PATIENT
POLITE = (
    "import signal; signal.signal(signal.SIGTERM, lambda *_: open(f'asked-{os.getpid()}', 'x') and exit()); " + PATIENT
)
# One of two programs exits once both run; the other keeps running.
ENDING_OR_PATIENT = f"""
import glob, os, time
try:
    os.mkdir('first')
    {PATIENT}
except FileExistsError:
    open(f'program-{{os.getpid()}}', 'w').close()
    while len(glob.glob('program-*')) < 2: time.sleep(0.01)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in alive(tmp_path):
        os.kill(pid, signal.SIGKILL)


def start(folder: Path, program: str, *, names: str = "one two", first: str = "") -> subprocess.Popen[bytes]:
    path = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", first + MANAGER, names, sys.executable, "-c", program]
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | path, stdout=subprocess.DEVNULL, start_new_session=True
    )


def alive(folder: Path) -> list[int]:
    pids = [int(file.name.removeprefix("program-")) for file in folder.glob("program-*")]
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_alive(folder: Path, count: int) -> None:
    wait_until(lambda: len(alive(folder)) == count)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_and_counts_as_success(folder: Path, asked: signal.Signals) -> None:
    manager = start(folder, PATIENT)
    wait_until_alive(folder, 2)

    os.killpg(manager.pid, asked)

    assert manager.wait(BUSY_SECONDS) == 0
    assert not alive(folder)


def test_a_program_that_will_not_end_is_ended_within_five_seconds(folder: Path) -> None:
    assert STOP_SECONDS < 5
    manager = start(folder, STUBBORN)
    wait_until_alive(folder, 2)

    manager.send_signal(signal.SIGINT)

    assert manager.wait(BUSY_SECONDS) == 0
    assert not alive(folder)


def test_one_program_that_ends_takes_the_others_along_and_counts_as_a_failure(folder: Path) -> None:
    manager = start(folder, ENDING_OR_PATIENT)

    assert manager.wait(BUSY_SECONDS) != 0
    assert not alive(folder)


def test_a_killed_manager_stops_its_programs_and_leaves_none_behind(folder: Path) -> None:
    manager = start(folder, POLITE)
    wait_until_alive(folder, 2)

    manager.kill()

    manager.wait()
    wait_until_alive(folder, 0)
    assert len(list(folder.glob("asked-*"))) == 2


def test_a_killed_manager_leaves_no_stubborn_program_behind_either(folder: Path) -> None:
    manager = start(folder, STUBBORN, names="one")
    wait_until_alive(folder, 1)

    manager.kill()

    manager.wait()
    wait_until_alive(folder, 0)


@pytest.mark.parametrize("count", [1, 2])
def test_a_signal_while_the_programs_start_ends_them_as_well(folder: Path, count: int) -> None:
    manager = start(folder, PATIENT, first=ASKED_AFTER.format(count=count))

    manager.wait(BUSY_SECONDS)

    assert not alive(folder)
