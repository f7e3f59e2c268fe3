"""The benchmark uses only databases of its own, compares with what doesn't change, and keeps what it found."""

import hashlib
import json
import socket
from collections import Counter
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock, patch

import pytest

from benchmarks import gates
from benchmarks.data import __main__ as data
from benchmarks.engines import NotMeasured, database
from benchmarks.load import read_status
from benchmarks.measure import Timing, take_turns
from benchmarks.results import Goal, Report, Result
from benchmarks.run import compared
from benchmarks.servers import Site
from benchmarks.sizes import SIZES
from benchmarks.watch import IDLE_ROUNDS, Watcher

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FROZEN = "e6ef3aa50e814caae35c9de70f54600a1d8058ad613a5b481ff7385aa70cacb6"


def fail(why: str) -> NoReturn:
    raise NotMeasured(why)


def test_benchmark_ignores_the_shells_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINKADMIN_DATABASE_URL_FILE", "/run/secrets/database")
    monkeypatch.setenv("LINKADMIN_REDIS_URL", "redis://127.0.0.1:6379/0")

    with database("sqlite", tmp_path) as rows:
        environment = rows.environment

    assert "LINKADMIN_DATABASE_URL_FILE" not in environment
    assert "LINKADMIN_REDIS_URL" not in environment
    assert environment["LINKADMIN_DATA"] == str(tmp_path / "data")


def test_floors_and_peers_are_frozen() -> None:
    # Published ratios were measured with these. Only peers/fill.py follows the product's tables.
    files = [
        *BENCHMARKS.glob("floors/*.py"),
        *BENCHMARKS.glob("peers/*.py"),
        *BENCHMARKS.glob("peers/templates/**/*.html"),
    ]
    contents = b"".join(file.read_bytes() for file in sorted(files) if file.name != "fill.py")

    assert hashlib.sha256(contents).hexdigest() == FROZEN


def test_what_fails_is_not_measured_and_the_others_are() -> None:
    timings = take_turns({"works": lambda: 0.25, "fails": lambda: fail("it answered 404")}, rounds=3)

    found = compared("W1", Goal(2, "works"), timings["fails"], timings["works"])
    assert timings["works"] == Timing(0.25, 0.25, 0.25, 0.25)
    assert found.verdict == "not measured: it answered 404"


def test_what_is_slow_takes_fewer_turns() -> None:
    turns = Counter[str]()

    def take(name: str, seconds: float) -> float:
        turns[name] += 1
        return seconds

    take_turns({"fast": lambda: take("fast", 0.01), "slow": lambda: take("slow", 9)}, rounds=40)

    assert turns["fast"] == 42
    assert turns["slow"] < 10


def test_results_of_one_workload_replace_only_its_own(tmp_path: Path) -> None:
    report = Report(tmp_path / "bench.json", {})
    report.add("1", [Result("page", Goal(2, "F1"), 3, 2)])
    report.add("2", [Result("overview", Goal(1), 0.5)])

    again = Report(tmp_path / "bench.json", {})
    again.add("1", [Result("page", Goal(2, "F1"), 6, 2)])

    kept = Report(tmp_path / "bench.json", {}).workloads
    assert [row["verdict"] for number in ("1", "2") for row in kept[number]["rows"]] == ["missed", "met"]
    assert again.has("2")


def test_page_that_fails_meanwhile_is_not_measured() -> None:
    answers = iter([Mock(seconds=0.01)] * IDLE_ROUNDS)
    with patch.object(Site, "get", side_effect=lambda _path: next(answers, None) or fail("it answered 503")):
        watcher = Watcher(Site(1, {}))
        with watcher.watching():
            pass

    assert watcher.result("W10", 1.3).verdict == "not measured: it answered 503"


def test_interrupted_stage_leaves_the_data_set_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(data, "call_command", lambda *_, **__: None)
    monkeypatch.setattr(data, "STAGES", {"links": lambda _size: None, "audit": lambda _size: fail("interrupted")})
    with pytest.raises(NotMeasured):
        data.main(SIZES["S"], tmp_path)
    monkeypatch.setattr(data, "STAGES", {"links": Mock(), "audit": Mock()})

    with pytest.raises(SystemExit, match="Building audit was interrupted"):
        data.main(SIZES["S"], tmp_path)

    assert not any(stage.called for stage in data.STAGES.values())
    assert json.loads((tmp_path / "built.json").read_text()) == {"links": 0}


def test_load_ends_when_a_server_is_killed_in_the_middle_of_an_answer() -> None:
    server, client = socket.socketpair()
    with client:
        with server:
            server.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\npart")
        with pytest.raises(ConnectionResetError):
            read_status(client)


@pytest.mark.parametrize(
    ("sql", "rows_end", "lists_end"),
    [
        ("SELECT a FROM t LIMIT 51", True, True),
        ("SELECT a FROM t WHERE (b = 1 AND (c = 2)) ORDER BY a", False, True),
        ("SELECT a FROM t WHERE id IN (SELECT id FROM t WHERE (b = 1) LIMIT 51) LIMIT 51", True, True),
        ("SELECT a FROM t WHERE id IN (SELECT id FROM t LIMIT 51)", False, True),
        ("SELECT a FROM t WHERE id IN (SELECT id FROM t) AND d IN (SELECT d FROM t LIMIT 9) LIMIT 51", True, False),
        ("SELECT a FROM (SELECT a FROM t LIMIT 51) WHERE id IN (1, 2)", True, True),
        ("SELECT a FROM t WHERE EXISTS(SELECT 1 FROM u LIMIT 1)", False, True),
        ("SELECT a, (SELECT b FROM u LIMIT 1) AS b FROM t", False, True),
        ("WITH found AS MATERIALIZED (SELECT a FROM t LIMIT 9) SELECT a FROM found", True, True),
    ],
)
def test_a_limit_ends_its_own_part_of_a_statement(sql: str, rows_end: bool, lists_end: bool) -> None:
    assert gates._limited(sql) == (rows_end, lists_end)
