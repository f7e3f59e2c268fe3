"""Messages to workers: soon after work arrives, rarely, and never blocking the caller."""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from kombu import Connection
from redis import Redis

from linkadmin.wake_worker import WakeSoon, wake_worker

from .troubles import files_end_at
from .waiting import wait_until

MESSAGES: Path = settings.DATA_DIR / "broker" / "messages"


@pytest.fixture
def task() -> str:
    """A task name that nothing else sends."""
    return f"tests.{time.monotonic_ns()}"


def sent(task: str) -> int:
    """Count the messages for a task in the broker."""
    return sum(json.loads(text)["headers"]["task"] == task for text in in_broker() if text)


def in_broker() -> Sequence[str | bytes]:
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        return [path.read_text(errors="replace") for path in MESSAGES.glob("*.msg")]
    with Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        texts: list[bytes] = broker.lrange(current_app.conf.task_default_queue, 0, -1)
        return texts


def test_task_without_a_row_is_sent(task: str) -> None:
    wake_worker(task)

    assert sent(task) == 1


def test_simultaneous_work_wakes_once(task: str) -> None:
    waker = WakeSoon(task, pause=30)

    for _ in range(50):
        waker.set()

    wait_until(lambda: sent(task) == 1)


def test_later_work_wakes_once_more(task: str) -> None:
    waker = WakeSoon(task, pause=0.2)
    waker.set()
    wait_until(lambda: sent(task) == 1)

    for _ in range(50):
        waker.set()

    wait_until(lambda: sent(task) == 2)


def test_full_disk_leaves_no_partial_message(tmp_path: Path) -> None:
    folders = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out")}
    options = folders | {"control_folder": str(tmp_path / "control")}
    with Connection("filesystem://", transport_options=options) as broker, broker.SimpleQueue("tests") as queue:
        before = set(tmp_path.iterdir())
        with files_end_at(100), pytest.raises(OSError, match="File too large"):
            queue.put("x" * 1_000)

    assert set(tmp_path.iterdir()) == before


def test_caller_does_not_wait_for_the_broker(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, passed = threading.Event(), threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *_args, **_more: stuck.wait(60) and passed.set())

    WakeSoon(task, pause=0.1).set()

    assert not passed.is_set()
    stuck.set()
    assert passed.wait(60)
