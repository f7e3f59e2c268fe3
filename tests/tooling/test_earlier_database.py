"""A database of an earlier version: the demo rebuilds its own, and nothing serves or migrates any other."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from linkadmin.checks import REFUSAL
from linkadmin.demo import preparation
from linkadmin.demo.preparation import PROJECT, prepare
from tests.processes import servers

from .test_preparation import PROGRAMS

pytestmark = pytest.mark.processes

FROM_BEFORE = (
    "INSERT INTO django_migrations (app, name, applied) VALUES ('links', '0008_fold_names', '2026-11-01')",
    "ALTER TABLE links_link RENAME COLUMN cause TO trouble",
    "UPDATE links_enduser SET name = 'From before'",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)], scope="module")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of an earlier demo, with the variables that make run sets."""
    folder = tmp_path_factory.mktemp("var")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        url = stack.enter_context(servers.database()) if request.param == "postgresql" else ""
        for name in [name for name in os.environ if name.startswith(("LINKADMIN_", "DJANGO_"))]:
            patch.delenv(name)
        patch.setenv("LINKADMIN_DEMO", "1")
        patch.setenv("LINKADMIN_DATA", str(folder))
        patch.setenv("LINKADMIN_DATABASE_URL", url)
        patch.setenv("LINKADMIN_DEMO_URL", "http://127.0.0.1:8000")
        patch.setenv("LINKADMIN_SIMULATOR_URL", "http://127.0.0.1:8800")
        prepare(folder)
        (folder / "prepared").unlink(missing_ok=True)
        for statement in FROM_BEFORE:
            execute(folder, statement)
        yield folder


def execute(folder: Path, statement: str) -> list[Any]:
    """Run SQL on the folder's database. Returns the first column of the result, if any."""
    url = os.environ["LINKADMIN_DATABASE_URL"]
    with closing(psycopg.connect(url) if url else sqlite3.connect(folder / "linkadmin.sqlite3")) as database:
        cursor = database.execute(statement)
        database.commit()
        return [first for first, *_rest in cursor] if cursor.description else []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("program", [*PROGRAMS, "migrate"])
def test_nothing_serves_or_migrates_it(demo: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    for name in ("LINKADMIN_DEMO", "LINKADMIN_DEMO_URL", "LINKADMIN_SIMULATOR_URL"):
        monkeypatch.delenv(name)

    ended = run("manage.py", "migrate") if program == "migrate" else run("-m", *PROGRAMS[program])

    assert ended.returncode == (1 if program == "migrate" else 3)
    assert REFUSAL in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_demo_is_created_again(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(preparation, "say", said.append)
    message = demo / "broker" / "messages" / "from-before"
    message.touch()

    prepare(demo)

    assert [line for line in said if "earlier version" in line] == [
        "The demo's data is from an earlier version. Starting over"
    ]
    assert "0008_fold_names" not in execute(demo, "SELECT name FROM django_migrations")
    assert len(execute(demo, "SELECT DISTINCT cause FROM links_link")) > 1
    assert "From before" not in execute(demo, "SELECT name FROM links_enduser")
    assert message.parent.is_dir()
    assert not message.exists()


def test_what_is_no_demo_is_left_alone(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKADMIN_DATA", str(tmp_path))
    monkeypatch.setenv("LINKADMIN_DATABASE_URL", "")
    run("manage.py", "makekeys")
    run("manage.py", "migrate")
    execute(tmp_path, FROM_BEFORE[0])

    ended = run("manage.py", "preparedemo")

    assert ended.returncode == 1
    assert REFUSAL in ended.stderr
    assert "0008_fold_names" in execute(tmp_path, "SELECT name FROM django_migrations")
