"""Where processes find each other: a folder nobody else may enter, without what dead ones left there."""

import os
import signal
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from linkadmin import siblings
from linkadmin.operations.memory import CHALLENGES
from linkadmin.siblings import doors

from .holder import Holder


@pytest.fixture
def data(settings: Settings) -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        settings.DATA_DIR = Path(folder)
        yield settings.DATA_DIR


@pytest.fixture
def door(data: Path) -> Iterator[doors.Door]:
    """A door of our own, at which nothing is told."""
    door = doors.Door(socket.socket.close)
    yield door
    door.close()


def opened(door: doors.Door) -> Path:
    door.open()
    assert door.path
    return door.path


def test_folder_is_for_its_owner_alone(door: doors.Door, data: Path) -> None:
    assert opened(door).parent == data / "siblings"

    assert (data / "siblings").stat().st_mode & 0o777 == 0o700


def test_folder_that_others_may_enter_is_not_used(
    door: doors.Door, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data / "siblings").mkdir()
    (data / "siblings").chmod(0o755)  # whatever the umask is

    with pytest.raises(PermissionError):
        door.open()

    assert CHALLENGES.find(uuid.uuid4()) is None
    assert "siblings.no_folder" in caplog.text


def test_folder_behind_a_link_is_not_used(
    door: doors.Door, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (data / "siblings").symlink_to(tmp_path_factory.mktemp("elsewhere"))

    with pytest.raises(PermissionError):
        door.open()


def test_path_too_long_for_a_socket_leads_to_a_folder_as_private(
    door: doors.Door, data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(data))
    settings.DATA_DIR = data / ("long" * 20)

    path = opened(door)

    assert path.parent.parent == data
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert doors.all_doors() == [path]


def test_door_is_gone_when_it_is_closed(door: doors.Door) -> None:
    path = opened(door)

    door.close()

    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        doors.knock(path, deadline=0)


def test_door_that_was_tidied_away_is_made_anew(door: doors.Door) -> None:
    path = opened(door)
    path.unlink()

    again = opened(door)

    assert again.is_socket()
    assert again != path


def test_door_that_is_open_stays_the_same(door: doors.Door) -> None:
    assert opened(door) == opened(door)


def test_door_of_a_dead_process_is_tidied_away(door: doors.Door) -> None:
    dead = opened(door).with_suffix(".dead")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))

    siblings.find("challenges", str(uuid.uuid4()))

    assert not dead.exists()
    assert door.path in doors.all_doors()


def test_door_of_another_machine_is_left_alone(door: doors.Door) -> None:
    elsewhere = opened(door).with_name("76543210.0123456789abcdef")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(elsewhere))

    siblings.find("challenges", str(uuid.uuid4()))

    assert elsewhere.exists()


def test_process_that_cannot_be_asked_still_serves(
    door: doors.Door, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(siblings, "_door", door)
    (data / "siblings").touch()

    siblings.be_there()

    assert "siblings.no_door" in caplog.text


@pytest.mark.processes
def test_process_that_ends_leaves_no_door(data: Path) -> None:
    with Holder(data) as holder:
        holder.keep(uuid.uuid4(), "482913")
        assert len(doors.all_doors()) == 1

    assert doors.all_doors() == []


@pytest.mark.processes
def test_forked_process_has_a_door_of_its_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siblings, "PATIENCE_SECONDS", 120)
    parents, childs = uuid.uuid4(), uuid.uuid4()
    with Holder(data) as holder:
        holder.keep(parents, "482913")
        child = holder.keep_in_child(childs, "317204")
        found = CHALLENGES.find(parents), CHALLENGES.find(childs)

        os.kill(child, signal.SIGKILL)

        assert all(found)
        assert CHALLENGES.find(childs) is None
        assert CHALLENGES.find(parents)
