"""What is kept in memory: found from every process of the machine while the one lives that has it, and then gone."""

import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from linkadmin import siblings
from linkadmin.operations import memory
from linkadmin.operations.memory import CHALLENGES, Shown
from tests.siblings.holder import Holder

NUMBER = "482913"


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def holder(data: Path) -> Iterator[Holder]:
    with Holder(data) as running:
        yield running


@pytest.fixture(autouse=True)
def _same_machine(data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = data
    monkeypatch.setattr(siblings, "PATIENCE_SECONDS", 120)


@pytest.fixture
def key(holder: Holder) -> uuid.UUID:
    """The key of a number that the other process keeps."""
    kept = uuid.uuid4()
    holder.keep(kept, NUMBER)
    return kept


@pytest.fixture
def hanging(holder: Holder, data: Path) -> Iterator[None]:
    """A process that takes calls and never answers."""
    (door,) = (data / "siblings").iterdir()
    with socket.socket(socket.AF_UNIX) as listener:
        beside = door.with_suffix(".hangs")
        listener.bind(str(beside))
        listener.listen()
        yield
        beside.unlink()


def test_what_one_process_keeps_another_finds(key: uuid.UUID) -> None:
    assert CHALLENGES.find(key) == Shown("Type this number", NUMBER)


def test_it_stays_with_the_process_that_has_it(key: uuid.UUID) -> None:
    CHALLENGES.find(key)

    assert key not in CHALLENGES._kept


def test_another_key_finds_nothing(key: uuid.UUID) -> None:
    assert CHALLENGES.find(uuid.uuid4()) is None


def test_another_shelf_has_nothing_under_the_same_key(key: uuid.UUID) -> None:
    assert memory.REPAIR_ADDRESSES.find(key) is None


def test_what_one_process_forgets_is_gone_in_all(holder: Holder, key: uuid.UUID) -> None:
    CHALLENGES.forget(key)

    assert not holder.has(key)
    assert CHALLENGES.find(key) is None


def test_what_is_over_is_found_nowhere(holder: Holder) -> None:
    key, other = uuid.uuid4(), uuid.uuid4()

    holder.keep(other, NUMBER)
    holder.keep(key, NUMBER, seconds=0)

    assert CHALLENGES.find(key) is None
    assert CHALLENGES.find(other)


def test_who_has_another_secret_is_told_nothing(
    key: uuid.UUID, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING"):
        settings.SECRET_KEY = "the key of somebody else"

        assert CHALLENGES.find(key) is None

    assert "sibling.silent" in caplog.text
    assert str(key) not in caplog.text


@pytest.mark.usefixtures("hanging")
def test_process_that_hangs_keeps_nobody_from_the_one_that_knows(
    key: uuid.UUID,
) -> None:
    began = time.monotonic()

    assert CHALLENGES.find(key)
    assert time.monotonic() - began < 60


@pytest.mark.usefixtures("hanging")
def test_process_that_hangs_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siblings, "PATIENCE_SECONDS", 0.5)
    began = time.monotonic()

    assert CHALLENGES.find(uuid.uuid4()) is None
    assert time.monotonic() - began < 60


def test_nothing_of_it_is_on_the_disk(data: Path, key: uuid.UUID) -> None:
    CHALLENGES.find(key)

    kept = [path for path in data.rglob("*") if not path.is_dir()]
    assert len(kept) == 1
    assert all(path.is_socket() for path in kept)


@pytest.mark.processes
def test_it_is_gone_with_its_process(holder: Holder, data: Path) -> None:
    key, doors = uuid.uuid4(), set((data / "siblings").glob("*"))
    killed = Holder(data)
    killed.keep(key, NUMBER)
    (left,) = set((data / "siblings").glob("*")) - doors
    found = CHALLENGES.find(key)

    killed.kill()

    assert found
    assert CHALLENGES.find(key) is None
    assert not left.exists()


def test_shelf_forgets_what_is_over_when_something_new_is_put_there() -> None:
    shelf: memory.Shelf[str] = memory.Shelf("texts", pack=str, unpack=str)
    for _ in range(3):
        shelf.keep(uuid.uuid4(), "an old text", until=timezone.now() - timedelta(seconds=1))

    shelf.keep(uuid.uuid4(), "a new text", until=timezone.now() + timedelta(minutes=1))

    assert len(shelf._kept) == 1
