"""What must be there before the demo's programs start, and when it need not be looked at again."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KEYS = ("keys/secret_key", "keys/audit_key", "keys/sealing_keyset.json")
DATABASE = "linkadmin.sqlite3"
BELVO_WEBHOOK = "belvo_webhook"  # holds the address that the simulated Belvo sends to
MADE = (*KEYS, DATABASE, "simulator.json", BELVO_WEBHOOK, "static")


def start_over(data: Path) -> None:
    """Remove what the demo made in its folder, but not the keys: a fresh database can go on using them."""
    files = (
        DATABASE,
        f"{DATABASE}-wal",
        f"{DATABASE}-shm",
        "simulator.json",
        BELVO_WEBHOOK,
        "static.stamp",
        "prepared",
    )
    for name in files:
        (data / name).unlink(missing_ok=True)
    for name in ("broker", "beat", "static"):
        shutil.rmtree(data / name, ignore_errors=True)


def prepare(data: Path) -> None:
    """Make keys, database, static files and demo data as far as they are missing. Raises CalledProcessError."""
    for needed in ("broker/messages", "broker/control", "beat"):
        (data / needed).mkdir(parents=True, exist_ok=True)
    stamp, wanted = data / "prepared", _fingerprint()
    # Starting Django only to find nothing to do would double the time of a warm start.
    if all((data / name).exists() for name in MADE) and stamp.exists() and stamp.read_text() == wanted:
        return
    if not all((data / name).exists() for name in KEYS):
        _manage("makekeys", "--verbosity", "0")
    _manage("preparedemo")
    if not _has_own_database():
        stamp.write_text(wanted)


def _has_own_database() -> bool:
    # What became of a database elsewhere cannot be told from here.
    return any(os.environ.get(name) for name in ("LINKADMIN_DATABASE_URL", "LINKADMIN_DATABASE_URL_FILE"))


def _fingerprint() -> str:
    """Sum up all that the result depends on: code, static files, packages, variables."""
    variables = sorted(item for item in os.environ.items() if item[0].startswith("LINKADMIN_"))
    digest = hashlib.sha256(repr(variables).encode())
    files = [PROJECT / "requirements.txt", *(PROJECT / "static").rglob("*"), *(PROJECT / "linkadmin").rglob("*.py")]
    for path in sorted(files):
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _manage(*arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    # Out of reach of the terminal's Ctrl-C: that is for the caller, which ends this as it goes.
    subprocess.run(command, cwd=PROJECT, check=True, start_new_session=True)  # noqa: S603
