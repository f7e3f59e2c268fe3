"""What keeps a process's secrets its own: files that nobody else may read, and no dump of its memory."""

import ctypes
import os
import resource
import stat
import sys
from pathlib import Path

_PR_SET_DUMPABLE = 4
# What an earlier start may have left open to others. A folder that holds none of these is not ours to close.
_KEPT = ("linkadmin.sqlite3", "linkadmin.sqlite3-wal", "linkadmin.sqlite3-shm", "keys", "broker", "beat", "icons")


def keep_files_private(data: Path) -> None:
    """Make every new file its owner's alone, whatever the umask was, and close what is in the data folder."""
    os.umask(0o077)
    kept = [path for name in _KEPT if (path := data / name).exists()]
    for path in [data, *kept, *(data / "keys").glob("*"), *(data / "icons").glob("*")] if kept else []:
        status = path.lstat()
        is_shared = status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX
        if status.st_mode & 0o077 and not is_shared:
            path.chmod(status.st_mode & 0o700)


def no_core_dumps() -> None:
    """Let neither a core file nor a debugger of the same user get at what this process holds in memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # where a program may take the dump, which the limit does not bind
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
