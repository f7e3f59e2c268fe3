"""Beat keeps running when the disk is full, and tries to shorten SQLite's log only now and then."""

from pathlib import Path

import pytest
from django.db import connection

from linkadmin import database
from linkadmin.celery import app
from linkadmin.heartbeats.beat import Scheduler
from tests.troubles import files_end_at


def test_beat_continues_on_a_full_disk(tmp_path: Path) -> None:
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=False)
    entry = next(iter(scheduler.schedule.values()))

    with files_end_at(1):
        for runs in (10**10, 10**20, 10**40):  # which take more room each time
            entry.total_run_count = runs
            scheduler._do_sync()
    scheduler.close()

    again = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=False)
    assert again.schedule[entry.name].total_run_count == 10**40
    again.close()


def test_log_is_not_shortened_at_every_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[Path] = []
    monkeypatch.setattr(database, "shorten_wal", attempts.append)
    monkeypatch.setattr(connection, "vendor", "sqlite")
    scheduler = Scheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=False)

    for _ in range(3):
        scheduler._shorten_wal()

    assert len(attempts) == 1
    scheduler.close()
