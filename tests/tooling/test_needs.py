"""Tests with missing requirements are skipped with a reason, or fail in strict mode."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SUITE = """
import pytest

@pytest.mark.browser
@pytest.mark.servers
def test_marked(): pass

def test_skips_itself(): pytest.skip("own reason")

def test_plain(): pass
"""

pytestmark = pytest.mark.processes


def run(folder: Path, **environment: str) -> str:
    """Run a suite of three tests with no programs on PATH and no servers configured. Returns pytest's output."""
    (folder / "test_suite.py").write_text(SUITE)
    given = {"PATH": str(folder), "PYTHONPATH": str(PROJECT), "CI_STRICT": "0", **environment}
    known = {name: value for name, value in os.environ.items() if not name.startswith("LINKADMIN_")}
    command = [sys.executable, "-m", "pytest", "-p", "tests.needs", "-p", "no:django", "-ra", "-W", "ignore"]
    return subprocess.run(command, cwd=folder, env=known | given, capture_output=True, text=True).stdout


def test_what_is_lacking_is_said_and_the_rest_runs(tmp_path: Path) -> None:
    said = run(tmp_path)

    assert "1 passed, 2 skipped" in said
    assert "no Chromium on the path" in said


def test_where_all_must_be_there_a_skip_is_a_failure(tmp_path: Path) -> None:
    said = run(tmp_path, CI_STRICT="1")

    assert "1 failed, 1 passed, 1 error" in said  # marks are checked before the test starts
    assert "own reason" in said


def test_what_is_there_is_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "chromium").touch(mode=0o755)

    said = run(tmp_path, LINKADMIN_DATABASE_URL="postgresql://host/name", LINKADMIN_REDIS_URL="redis://host")

    assert "2 passed, 1 skipped" in said


def test_this_very_run_goes_by_it(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.needs")
