"""One message per tick runs all short tasks, and shows that the worker works."""

from collections.abc import Callable

import pytest
from celery import current_app
from django.conf import settings
from django.db import OperationalError

from linkadmin.celery import app
from linkadmin.heartbeats import signs
from linkadmin.heartbeats.models import Heartbeat
from linkadmin.heartbeats.tasks import tick

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of tasks that ran, of which one always fails."""
    names: list[str] = []

    def task(name: str) -> Callable[[], None]:
        def run() -> None:
            names.append(name)
            if name == "fails":
                raise OperationalError("database is locked")

        return run

    for name in ("one", "fails", "two"):
        monkeypatch.setitem(current_app.tasks, name, task(name))
    return names


def test_one_that_fails_does_not_stop_the_others(ran: list[str], caplog: pytest.LogCaptureFixture) -> None:
    tick(["one", "fails", "two"])

    assert ran == ["one", "fails", "two"]
    failed, done = (record.msg for record in caplog.records)
    assert (failed["event"], failed["task"]) == ("tick.failed", "fails")
    assert done["took_ms"].keys() == {"one", "fails", "two"}


def test_every_scheduled_tick_knows_its_tasks() -> None:
    app.loader.import_default_modules()
    ticked = [name for entry in settings.CELERY_BEAT_SCHEDULE.values() for name in entry.get("args", [[]])[0]]

    assert len(ticked) == len(set(ticked)) > 5
    assert set(ticked) <= app.tasks.keys()


def test_a_task_shows_that_a_worker_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "_of_tasks", None)

    tick.apply(args=[[]])

    assert Heartbeat.objects.get().worked_at is not None
