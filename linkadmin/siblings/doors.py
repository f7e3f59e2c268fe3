"""Where the processes of this machine listen: a socket each, in a folder that nobody else may enter.

No name tells a process: one that died is known by its door, which refuses, and is tidied away by who knocks.
"""

import hashlib
import os
import secrets
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

LONGEST_PATH = 103  # bytes of the path of a socket: macOS takes no more, Linux four
_NAME = len("/01234567.0123456789abcdef")


class Door:
    """Where this process is asked: closed until it holds something."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.path: Path | None = None
        self._serve = serve
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Listen, unless this process does. Raises OSError."""
        with self._lock:
            if self.path and self.path.exists():
                return
            self._close()  # somebody tidied the folder
            path = _folder() / f"{_machine()}.{secrets.token_hex(8)}"
            self._listener = _listener(path)
            self.path = path
            threading.Thread(target=self._wait, args=[self._listener], name="door", daemon=True).start()

    def close(self) -> None:
        with self._lock:
            self._close()

    def leave_to_parent(self) -> None:
        """Be closed in a process that was just forked: the door is still the parent's."""
        self._lock, self.path = threading.Lock(), None
        if self._listener:
            self._listener.close()
            self._listener = None

    def _close(self) -> None:
        if self.path:
            self.path.unlink(missing_ok=True)
            self.path = None
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits at it
            self._listener.close()
            self._listener = None

    def _wait(self, listener: socket.socket) -> None:
        while listener.fileno() >= 0:
            try:
                line, _nobody = listener.accept()
            except OSError:  # closed, or no more files can be opened for now
                time.sleep(0.1)
                continue
            threading.Thread(target=self._serve, args=[line], name="sibling", daemon=True).start()


def all_doors() -> list[Path]:
    """Return the doors of this machine, those of dead processes included. Raises OSError."""
    return list(_folder().glob(f"{_machine()}.*"))


def knock(door: Path, deadline: float) -> socket.socket:
    """Return a line to who listens at a door. Raises OSError; ConnectionRefusedError if nobody does."""
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(max(0.001, deadline - time.monotonic()))
        line.connect(str(door))
    except OSError:
        line.close()
        raise
    return line


def _listener(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


def _folder() -> Path:
    """Return the folder of the doors, made if it is missing. Raises OSError if others may enter it."""
    folder = settings.DATA_DIR / "siblings"
    if len(os.fsencode(folder)) + _NAME > LONGEST_PATH:
        # All siblings have to come to the same name, and nobody else may guess it.
        digest = salted_hmac("linkadmin.siblings", str(folder), secret=settings.SECRET_KEY, algorithm="sha256")
        folder = Path(tempfile.gettempdir()) / f"linkadmin-{digest.hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
        raise PermissionError("the folder of the siblings is not ours alone")
    return folder


def _machine() -> str:
    """Tell machines apart that share a folder: at a door of another's nobody answers, and it is not ours to tidy."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
