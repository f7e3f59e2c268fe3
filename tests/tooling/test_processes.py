"""Programs run as one, tried with real ones: whatever happens, all end in time and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkadmin.demo.processes import STOP_SECONDS

pytestmark = pytest.mark.processes

MANAGER = """
import os, sys
from linkadmin.demo.processes import run_together
sys.exit(run_together({name: sys.argv[2:] for name in sys.argv[1].split()}, env=os.environ))
"""
# Each program leaves a file with its process id.
PATIENT = "import os, time; open(f'program-{os.getpid()}', 'w').close(); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PATIENT
ENDING = "import os, time; open(f'program-{os.getpid()}', 'w').close(); time.sleep(1)"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in alive(tmp_path):
        os.kill(pid, signal.SIGKILL)


def start(folder: Path, program: str, *, names: str = "one two") -> subprocess.Popen[bytes]:
    path = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", MANAGER, names, sys.executable, "-c", program]
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


def wait_until_alive(folder: Path, count: int, *, within: float = 10) -> None:
    deadline = time.monotonic() + within
    while len(alive(folder)) != count:
        assert time.monotonic() < deadline, f"{len(alive(folder))} programs run, not {count}"
        time.sleep(0.02)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_and_counts_as_success(folder: Path, asked: signal.Signals) -> None:
    manager = start(folder, PATIENT)
    wait_until_alive(folder, 2)

    os.killpg(manager.pid, asked)

    assert manager.wait(timeout=5) == 0
    assert not alive(folder)


def test_a_program_that_will_not_end_is_ended_within_five_seconds(folder: Path) -> None:
    manager = start(folder, STUBBORN)
    wait_until_alive(folder, 2)

    manager.send_signal(signal.SIGINT)

    assert manager.wait(timeout=5) == 0
    assert not alive(folder)


def test_one_program_that_ends_takes_the_others_along_and_counts_as_a_failure(folder: Path) -> None:
    manager = start(folder, f"import glob\nif glob.glob('program-*'): {ENDING}\nelse: {PATIENT}")

    assert manager.wait(timeout=10) != 0
    assert not alive(folder)


def test_a_killed_manager_leaves_no_program_behind(folder: Path) -> None:
    manager = start(folder, PATIENT)
    wait_until_alive(folder, 2)

    manager.kill()

    manager.wait()
    wait_until_alive(folder, 0, within=2)


def test_a_killed_manager_leaves_no_stubborn_program_behind_either(folder: Path) -> None:
    manager = start(folder, STUBBORN, names="one")
    wait_until_alive(folder, 1)

    manager.kill()

    manager.wait()
    wait_until_alive(folder, 0, within=STOP_SECONDS + 2)


def test_a_signal_while_the_programs_start_ends_them_as_well(folder: Path) -> None:
    for delay in (0.3, 0.35, 0.4, 0.45):
        manager = start(folder, PATIENT)
        time.sleep(delay)
        os.killpg(manager.pid, signal.SIGTERM)

        manager.wait(timeout=5)

        assert not alive(folder)
