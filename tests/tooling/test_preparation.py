"""Preparing the demo: what is created before the programs start, what is created again, and what RESET=1 removes."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkadmin.demo import preparation
from linkadmin.demo.guard import REFUSAL
from linkadmin.demo.preparation import PROJECT, prepare, relay, start_over

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder prepared once for all tests here, with the variables that make run sets."""
    folder = tmp_path_factory.mktemp("var")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("LINKADMIN_", "DJANGO_"))]:
            patch.delenv(name)
        patch.setenv("LINKADMIN_DEMO", "1")
        patch.setenv("LINKADMIN_DATA", str(folder))
        patch.setenv("LINKADMIN_DEMO_URL", "http://127.0.0.1:8000")
        patch.setenv("LINKADMIN_SIMULATOR_URL", "http://127.0.0.1:8800")
        prepare(folder)
        yield folder


def last_prepared(data: Path) -> int:
    return (data / "prepared").stat().st_mtime_ns


def column(data: Path, query: str) -> set[str]:
    database = sqlite3.connect(data / "linkadmin.sqlite3")
    try:
        return {value for (value,) in database.execute(query)}
    finally:
        database.close()


def test_the_staff_that_the_first_page_of_the_readme_names_is_there(data: Path) -> None:
    assert {"support", "manager", "auditor", "admin"} <= column(data, "SELECT username FROM accounts_user")


def test_a_slow_step_does_not_leave_the_terminal_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program stops only after a progress line is printed."""
    monkeypatch.setattr(preparation, "TICK_SECONDS", 0.01)
    seen, said = tmp_path / "seen", []

    def note(text: str) -> None:
        said.append(text)
        if "still working" in text:
            seen.touch()

    monkeypatch.setattr(preparation, "say", note)
    script = f"echo Database; until [ -e {seen} ]; do sleep 0.01; done; echo ready"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as program:
        relay(program)

    assert {"Database", "  still working after 0 s"} <= set(said)
    assert said[-1] == "ready"


def test_what_is_prepared_is_not_prepared_again(data: Path) -> None:
    before = last_prepared(data)

    prepare(data)

    assert last_prepared(data) == before


def test_the_providers_move_with_the_port_of_the_simulator(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKADMIN_SIMULATOR_URL", "http://127.0.0.1:8801")

    prepare(data)

    assert column(data, "SELECT base_url FROM integrations_integration") == {"http://127.0.0.1:8801"}


def test_the_simulated_providers_get_the_endpoint_urls(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKADMIN_DEMO_URL", "http://127.0.0.1:8001")

    prepare(data)

    paths = column(data, "SELECT path FROM webhooks_webhookendpoint")
    subscribed = json.loads((data / "simulator.json").read_text())["heron"]["webhooks"]
    told = {(data / f"{name}_webhook").read_text() for name in ("belvo", "plaid")}
    told |= {each["url"] for each in subscribed}
    assert {url.split("/")[-2] for url in told} == paths
    assert {url.split("/webhooks/")[0] for url in told} == {"http://127.0.0.1:8001"}
    assert len({each["topic"] for each in subscribed}) == len(subscribed) == 7


def test_starting_over_leaves_nothing_but_the_keys(data: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data, tmp_path / "var")
    keys = {path: path.read_text() for path in (copy / "keys").iterdir()}

    start_over(copy)

    assert {path: path.read_text() for path in copy.rglob("*") if path.is_file()} == keys


PROGRAMS = {
    "web": ["gunicorn", "linkadmin.wsgi", "--bind", "127.0.0.1:0", "--worker-class", "gthread", "--no-control-socket"],
    "web, loaded before it forks": ["gunicorn", "linkadmin.wsgi", "--bind", "127.0.0.1:0", "--preload"],
    "worker": ["celery", "--app", "linkadmin", "worker", "--pool", "threads", "--concurrency", "1"],
    "beat": ["celery", "--app", "linkadmin", "beat", "--pidfile", ""],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_demo_data_never_becomes_production(data: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    for name in ("LINKADMIN_DEMO", "LINKADMIN_DEMO_URL", "LINKADMIN_SIMULATOR_URL"):
        monkeypatch.delenv(name)

    command = [sys.executable, "-m", *PROGRAMS[program]]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600)

    assert ended.returncode == 3
    assert REFUSAL in ended.stderr
    assert "Traceback" not in ended.stderr


def test_demo_is_not_seeded_next_to_existing_staff(tmp_path: Path, data: Path) -> None:
    mixed = tmp_path / "var"
    shutil.copytree(data, mixed)
    with sqlite3.connect(mixed / "linkadmin.sqlite3") as database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("DELETE FROM integrations_integration")
    database.close()

    ended = subprocess.run(
        [sys.executable, "manage.py", "preparedemo"],
        cwd=PROJECT,
        env=os.environ | {"LINKADMIN_DATA": str(mixed)},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert "already has staff" in ended.stderr


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [("linkadmin.demo.__main__", {"django", "celery"}), ("linkadmin.wsgi", {"psycopg"})],
    ids=["make run", "web with SQLite"],
)
def test_program_loads_nothing_heavy_that_it_never_needs(program: str, unneeded: set[str], data: Path) -> None:
    probe = f"import sys, {program}; assert not {unneeded} & sys.modules.keys()"

    assert subprocess.run([sys.executable, "-c", probe], cwd=PROJECT, check=False).returncode == 0
