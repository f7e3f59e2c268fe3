"""Other users of the machine can't read our files or the memory of our processes, whatever the umask."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).resolve().parents[2]
LIMITS = """
import ctypes, json, resource, {module}
print(json.dumps([*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)]))
"""


def run(data: Path, *command: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LINKADMIN_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env=inherited | {"LINKADMIN_DATA": str(data)},
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_data_folder_and_all_in_it_are_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    data = tmp_path / "deep" / "data"

    run(data, "manage.py", "makekeys", umask=umask)
    run(data, "manage.py", "migrate", "accounts", umask=umask)

    assert (data / "linkadmin.sqlite3").exists()
    assert open_to_others(data.parent) == []


def test_what_an_earlier_start_left_open_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data, "manage.py", "makekeys")
    run(data, "manage.py", "migrate", "accounts")
    for path in (data, *data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)

    run(data, "manage.py", "makekeys")

    assert open_to_others(data) == []


def test_folder_that_holds_nothing_of_ours_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "shared"
    data.mkdir()
    data.chmod(0o755)

    run(data, "manage.py", "check")

    assert data.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(sys.platform != "linux", reason="the flag of a process that may not be dumped is Linux's")
def test_web_process_cannot_be_dumped(tmp_path: Path) -> None:
    run(tmp_path / "data", "manage.py", "makekeys")

    said = run(tmp_path / "data", "-c", LIMITS.format(module="linkadmin.wsgi")).stdout

    assert json.loads(said) == [0, 0, 0]
