"""Belvo's own Python client works with the simulator."""

import json
import subprocess
from pathlib import Path

import pytest

from linkadmin.simulator.belvo.api import SECRET_ID, SECRET_PASSWORD

from .relay import Relay
from .tools import python_with_belvo

pytestmark = pytest.mark.contracts

DRIVE = Path(__file__).with_name("drive_belvo_python.py")


@pytest.fixture(scope="session")
def python() -> Path:
    return python_with_belvo()


def test_belvos_own_client_makes_repairs_and_removes_links(python: Path, belvo_judge: Relay) -> None:
    command = [str(python), "-I", str(DRIVE), belvo_judge.url, SECRET_ID, SECRET_PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "created": "valid",
        "challenge": "numeric",
        "resumed": [True, "valid"],
        "updated": [True, "valid"],
        "repaired": [True, "valid"],
        "listed": True,
        "read": "erebor_mx_retail",
        "institutions": True,
        "institution": "erebor_mx_retail",
        "token": ["access", "refresh"],
        "deleted": [True, False],
        "left": True,
    }
    assert belvo_judge.violations == []
    assert {sent.method for sent in belvo_judge.exchanges} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
