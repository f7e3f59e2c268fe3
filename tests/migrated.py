"""A migrated SQLite database, made once for all processes and runs: migrating takes longer than most test files."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".pytest_cache" / "migrated"
# What a migrated database follows from: our migrations with what they use, and the packages that have some.
SOURCES = (
    "linkadmin/*/migrations/*.py",
    "linkadmin/audit/*.py",
    "linkadmin/search/*.py",
    "linkadmin/fields.py",
    "linkadmin/paging.py",
    "requirements.txt",
)


def migrated_database() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{_digest()}.sqlite3"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            for outdated in FOLDER.glob("*.sqlite3"):
                outdated.unlink()
            with TemporaryDirectory(dir=FOLDER) as data:
                environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "LINKADMIN_DATA": data}
                command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
                subprocess.run(command, cwd=ROOT, env=environment, check=True)
                (Path(data) / "linkadmin.sqlite3").rename(file)
    return file


def _digest() -> str:
    files = sorted(file for pattern in SOURCES for file in ROOT.glob(pattern))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
