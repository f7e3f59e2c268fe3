"""Protects a process's secrets: private files, and no memory dumps."""

import ctypes
import os
import resource
import stat
import sys
from pathlib import Path

_PR_SET_DUMPABLE = 4
# What an earlier start may have left readable. A folder with none of these isn't ours to change.
_OURS = ("linkadmin.sqlite3", "linkadmin.sqlite3-wal", "linkadmin.sqlite3-shm", "keys", "broker", "beat", "icons")


def keep_files_private(data: Path) -> None:
    os.umask(0o077)
    ours = [path for name in _OURS if (path := data / name).exists()]
    for path in [data, *ours, *(data / "keys").glob("*"), *(data / "icons").glob("*")] if ours else []:
        status = path.lstat()
        is_shared = status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX
        if status.st_mode & 0o077 and not is_shared:
            path.chmod(status.st_mode & 0o700)


def no_core_dumps() -> None:
    """Keep core files and debuggers of the same user away from this process's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # where a program may take the dump, which ignores the limit
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
