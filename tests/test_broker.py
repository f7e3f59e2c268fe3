"""The broker in a folder: an idle worker sleeps, and no message has to wait for it."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from linkadmin import broker
from linkadmin.celery import app

assert app  # registers our transport
SOON = 30  # seconds, far more than it takes


@pytest.fixture(autouse=True)
def _sleeps_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a wake-up ends a sleep."""
    monkeypatch.setattr(broker, "LONGEST_SLEEP", 3600.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "messages"


def queue_in(folder: Path) -> Queue:
    name = folder.parent.name  # kombu remembers for a whole process which queues are declared
    return Queue(name, Exchange(name), routing_key=name)


def connect(folder: Path) -> Connection:
    folders = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder.parent / "control"}
    return Connection("filesystem://", transport_options=folders)


class Worker:
    """Takes messages in a thread until it has as many as wanted."""

    def __init__(self, folder: Path, wanted: int = 1) -> None:
        self.taken: list[Any] = []
        self._queue, self._connection = queue_in(folder), connect(folder)
        self._wanted = wanted
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        def take(body: Any, message: Any) -> None:
            self.taken.append(body)
            message.ack()

        with self._connection.Consumer(self._queue, callbacks=[take]):
            while len(self.taken) < self._wanted:
                self._connection.drain_events()
        self._connection.release()

    def has_finished(self) -> bool:
        self._thread.join(SOON)
        return not self._thread.is_alive()


@pytest.fixture
def send(folder: Path) -> Iterator[Callable[[object], None]]:
    with connect(folder) as connection:
        queue = queue_in(folder)(connection.default_channel)
        queue.declare()
        yield connection.Producer(exchange=queue.exchange, routing_key=queue.routing_key).publish


def pipes(folder: Path) -> list[Path]:
    return list(folder.glob("*.pipe"))


def wait_until_asleep(folder: Path, workers: int = 1) -> None:
    for _each in range(SOON * 100):
        if len(pipes(folder)) == workers:
            return
        threading.Event().wait(0.01)


def test_message_wakes_a_sleeping_worker(folder: Path, send: Callable[[object], None]) -> None:
    worker = Worker(folder)
    wait_until_asleep(folder)

    send("do it")

    assert worker.has_finished()
    assert worker.taken == ["do it"]


def test_many_messages_reach_several_workers(folder: Path, send: Callable[[object], None]) -> None:
    workers = [Worker(folder, wanted=20) for _each in range(2)]
    wait_until_asleep(folder, workers=2)

    for number in range(40):
        send(number)

    assert all(worker.has_finished() for worker in workers)
    assert sorted(number for worker in workers for number in worker.taken) == list(range(40))


def test_message_added_between_look_and_sleep_is_not_missed(folder: Path) -> None:
    wake_up = broker.WakeUp(folder)
    waits = threading.Thread(target=wake_up.wait, args=[3600.0], daemon=True)
    broker.wake_all(folder)

    waits.start()
    waits.join(SOON)

    assert not waits.is_alive()


def test_full_pipe_still_wakes(folder: Path) -> None:
    wake_up = broker.WakeUp(folder)
    os.write(wake_up._line, b"." * 65_536)
    broker.wake_all(folder)

    wake_up.wait(3600.0)

    assert len(pipes(folder)) == 1


def test_pipe_of_a_killed_worker_is_removed(folder: Path, send: Callable[[object], None]) -> None:
    os.mkfifo(folder / "killed.pipe")

    send("do it")

    assert pipes(folder) == []


def test_pipe_stays_if_the_writer_has_too_many_files_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wake_up = broker.WakeUp(folder)

    def refuse(*_args: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        broker.wake_all(folder)

    assert len(pipes(folder)) == 1
    wake_up.close()


def test_pipe_survives_a_message_while_its_worker_opens_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = os.mkfifo

    def make_and_wake(path: Path, mode: int) -> None:
        make(path, mode)
        broker.wake_all(folder)

    monkeypatch.setattr(os, "mkfifo", make_and_wake)
    wake_up = broker.WakeUp(folder)

    assert len(pipes(folder)) == 1
    wake_up.close()


def test_worker_that_ends_while_it_is_woken_costs_no_message(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wake_up, write = broker.WakeUp(folder), os.write

    def end_and_write(line: int, text: bytes) -> int:
        wake_up.close()
        return write(line, text)

    monkeypatch.setattr(os, "write", end_and_write)
    broker.wake_all(folder)

    assert pipes(folder) == []
