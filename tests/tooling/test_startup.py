"""What programs say about unsafe settings when they start, and what they refuse to start with."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).resolve().parents[2]
LOADED = {"web": "import linkadmin.wsgi", "worker, beat": "from linkadmin.celery import start_safely; start_safely()"}
Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Start a program as in production until it would serve."""
    data = tmp_path_factory.mktemp("var")
    (data / "static").mkdir()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LINKADMIN_", "DJANGO_"))}

    def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        own = {"LINKADMIN_DATA": str(data), "LINKADMIN_ALLOWED_HOSTS": "links.example.com"}
        env = inherited | {"DJANGO_SETTINGS_MODULE": "linkadmin.settings"} | own | variables
        return subprocess.run([sys.executable, *command], cwd=PROJECT, env=env, capture_output=True, text=True)

    for command in ("makekeys", "migrate"):
        assert run("manage.py", command).returncode == 0
    return run


def unsafe(stderr: str) -> list[str]:
    events = [json.loads(line) for line in stderr.splitlines()]
    assert all(each["problem"] and each["hint"] for each in events if each["event"] == "startup.unsafe")
    return sorted(each["check"] for each in events if each["event"] == "startup.unsafe")


@pytest.mark.parametrize("program", LOADED)
def test_unsafe_settings_are_logged(start: Start, program: str) -> None:
    ended = start("-c", LOADED[program], LINKADMIN_ALLOWED_HOSTS="*", LINKADMIN_EMAIL_URL="smtp://mail.example.com")

    assert ended.returncode == 0
    assert unsafe(ended.stderr) == ["linkadmin.E008", "linkadmin.E009"]


def test_a_list_of_hosts_without_any_is_named(start: Start) -> None:
    checked = start("manage.py", "check", "--deploy", LINKADMIN_ALLOWED_HOSTS=",")

    assert "ALLOWED_HOSTS must not be empty" in checked.stderr
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize("program", LOADED)
def test_nothing_is_said_about_a_good_production(start: Start, program: str) -> None:
    ended = start("-c", LOADED[program])

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("program", LOADED)
def test_nothing_is_said_about_the_demo(start: Start, program: str) -> None:
    ended = start("-c", LOADED[program], LINKADMIN_DEMO="1", LINKADMIN_ALLOWED_HOSTS="")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_http_client_keeps_its_log_level_however_early_it_is_imported(start: Start) -> None:
    """At a lower level, it logs headers."""
    level = "logging.getLogger('urllib3.connection').getEffectiveLevel()"
    program = f"import logging, urllib3.connection; import linkadmin.wsgi; print(logging.getLevelName({level}))"

    assert start("-c", program).stdout.split() == ["ERROR"]


@pytest.mark.parametrize("program", LOADED)
@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("LINKADMIN_ALLOW_LOOPBACK_PROVIDERS", "1", "Providers on this machine are allowed."),
        ("LINKADMIN_DATA", "{empty}", "LINKADMIN_SECRET_KEY isn't set."),
    ],
)
def test_fatal_settings_are_refused_in_one_line(
    start: Start, tmp_path: Path, program: str, variable: str, value: str, problem: str
) -> None:
    (tmp_path / "static").mkdir()

    ended = start("-c", LOADED[program], **{variable: value.format(empty=tmp_path)})

    assert ended.returncode == 3
    assert ended.stderr.startswith(problem)
    assert ended.stderr.count("\n") == 1
