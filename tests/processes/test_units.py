"""The units in docs/systemd work: every part of the product runs with only folders and port changed."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from django.conf import settings

from .stack import PROGRAMS, PROJECT, Stack, wait_for

pytestmark = pytest.mark.processes
FOLDER = "/opt/linkadmin/.venv/bin/"
ADDRESS = "127.0.0.1:8000"


def option(program: str, name: str) -> str:
    unit = (PROJECT / "docs" / "systemd" / f"linkadmin-{program}.service").read_text()
    found = re.search(rf"^{name}=(.+)$", unit, re.MULTILINE)
    assert found, f"{program} has no {name}"
    return found[1]


class Installed(Stack):
    """A stack that starts web, worker and beat with the commands of their units."""

    def _command(self, name: str) -> list[str]:
        if name not in PROGRAMS:
            return super()._command(name)
        line = option(name, "ExecStart")
        assert line.startswith(FOLDER)
        assert (ADDRESS in line) == (name == "web")
        line = line.replace(ADDRESS, self.url.removeprefix("http://"))
        return shlex.split(line.replace(FOLDER, f"{Path(sys.executable).parent}/"))


def test_every_part_works_as_the_units_start_it(tmp_path: Path, static: Path) -> None:
    with Installed(tmp_path, static=static) as stack:
        browser = stack.browser()
        wait_for(lambda: browser.get("/statusz/").ok, within=90)


def test_no_stop_cuts_a_call_to_a_bank() -> None:
    patience = int(re.findall(r"--graceful-timeout (\d+)", option("web", "ExecStart"))[0])

    longest_call = settings.PROVIDER_CREDENTIALS_SECONDS + settings.LEASE_MARGIN_SECONDS
    assert longest_call < patience < int(option("web", "TimeoutStopSec"))
