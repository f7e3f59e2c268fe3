"""Beat on a full disk: it continues, and stores its state once there is room."""

from pathlib import Path

from linkadmin.beat import Scheduler
from linkadmin.celery import app

from .troubles import files_end_at


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
