"""The benchmark uses only databases of its own."""

from pathlib import Path

import pytest

from benchmarks.engines import database


def test_benchmark_ignores_the_shells_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINKADMIN_DATABASE_URL_FILE", "/run/secrets/database")
    monkeypatch.setenv("LINKADMIN_REDIS_URL", "redis://127.0.0.1:6379/0")

    with database("sqlite", tmp_path) as rows:
        environment = rows.environment

    assert "LINKADMIN_DATABASE_URL_FILE" not in environment
    assert "LINKADMIN_REDIS_URL" not in environment
    assert environment["LINKADMIN_DATA"] == str(tmp_path / "data")
