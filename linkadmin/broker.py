"""Messages as files in a folder, for installations without a broker.

kombu's own transport creates a file and then fills it, and reads without a lock. A worker that reads in between finds
an empty message and exits. Here a message appears complete, one cut short by a kill is dropped (its row stays), and
none passes through the shared temporary folder.

kombu also looks for files ten times a second. Here each worker has a named pipe in the folder, and adding a message
writes to all pipes, so an idle worker sleeps.
"""

import errno
import os
import select
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

BUSY_SECONDS = 0.1  # between two looks while messages wait that this worker can't take yet
LONGEST_SLEEP = 5.0  # a message whose writer died before it wrote to the pipes waits no longer


class Channel(filesystem.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for folder in {self.data_folder_in, self.data_folder_out, self.control_folder}:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu has two
        path = Path(self.data_folder_out) / f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        draft = path.with_suffix(".draft")
        try:
            draft.write_text(dumps(payload))
            draft.replace(path)
        except OSError:  # a full disk can't hold half a message either
            draft.unlink(missing_ok=True)
            raise
        wake_all(path.parent)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in sorted(Path(self.data_folder_in).iterdir()):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = path.with_suffix(".taken")
            try:
                path.replace(taken)
            except FileNotFoundError:  # another worker took it
                continue
            text = taken.read_text()
            taken.unlink()
            try:
                return loads(text)
            except ValueError:
                continue
        raise Empty


def wake_all(folder: Path) -> None:
    for pipe in folder.glob("*.pipe"):
        try:
            line = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:  # its worker was killed
                pipe.unlink(missing_ok=True)
            continue
        with suppress(BlockingIOError, BrokenPipeError):  # full: it will wake anyway; or its worker has just ended
            os.write(line, b".")
        os.close(line)


class WakeUp:
    """A worker's named pipe in a folder, read by nobody else, so that no wake-up is lost to another worker."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._pipe = folder, folder / f"{uuid.uuid4()}.pipe"
        unread = self._pipe.with_suffix(".new")  # under its own name it would look like a killed worker's
        os.mkfifo(unread, 0o600)
        self._line = os.open(unread, os.O_RDWR | os.O_NONBLOCK)  # with its own writer it never ends
        unread.rename(self._pipe)

    def wait(self, seconds: float) -> None:
        """Wait until a message is added. Call it after looking: whatever was added since has woken it already."""
        is_busy = any(name.endswith(".msg") for name in os.listdir(self._folder))
        select.select([self._line], [], [], min(seconds, BUSY_SECONDS if is_busy else LONGEST_SLEEP))
        with suppress(BlockingIOError):
            while os.read(self._line, 65_536):
                pass

    def close(self) -> None:
        self._pipe.unlink(missing_ok=True)
        os.close(self._line)


class Transport(filesystem.Transport):
    Channel = Channel
    _wake_up: WakeUp | None = None

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        ends_at = None if timeout is None else monotonic() + timeout
        # Before the first look, so that whatever is added after it wakes us.
        options: Any = self.client.transport_options  # type: ignore[union-attr]
        self._wake_up = self._wake_up or WakeUp(Path(options["data_folder_in"]))
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)  # type: ignore[union-attr]
                return
            except Empty:
                left = LONGEST_SLEEP if ends_at is None else ends_at - monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self._wake_up.wait(left)

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)
        if self._wake_up is not None:
            self._wake_up.close()
            self._wake_up = None
