"""What has to exist before the demo's programs start, and when the check can be skipped."""

import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
KEYS = ("keys/secret_key", "keys/audit_key", "keys/sealing_keyset.json")
DATABASE = "linkadmin.sqlite3"
BELVO_WEBHOOK = "belvo_webhook"  # contains the URL that the simulated Belvo sends to
PLAID_WEBHOOK = "plaid_webhook"  # the same for Plaid
TICK_SECONDS = 2  # between two lines while a step prints nothing
MADE = (*KEYS, DATABASE, "simulator.json", BELVO_WEBHOOK, PLAID_WEBHOOK, "static")


def start_over(data: Path) -> None:
    """Delete the demo's files except its keys: a fresh database can use them."""
    files = (
        DATABASE,
        f"{DATABASE}-wal",
        f"{DATABASE}-shm",
        "simulator.json",
        BELVO_WEBHOOK,
        PLAID_WEBHOOK,
        "static.stamp",
        "prepared",
    )
    for name in files:
        (data / name).unlink(missing_ok=True)
    for name in ("broker", "beat", "icons", "static"):
        shutil.rmtree(data / name, ignore_errors=True)


def prepare(data: Path) -> None:
    """Create keys, database, static files and demo data if missing. Raises CalledProcessError."""
    variables = sorted(item for item in os.environ.items() if item[0].startswith("LINKADMIN_"))
    files = [PROJECT / "requirements.txt", *(PROJECT / "static").rglob("*"), *(PROJECT / "linkadmin").rglob("*.py")]
    stamp, wanted = data / "prepared", fingerprint(variables, sorted(files))
    # Starting Django only to find nothing to do would double the time of a warm start.
    if not all((data / name).exists() for name in MADE) or not stamp.exists() or stamp.read_text() != wanted:
        say("Preparing the database and demo data")
        if not all((data / name).exists() for name in KEYS):
            _manage("makekeys", "--verbosity", "0")
        _manage("preparedemo")
        # We can't see from here whether an external database changed.
        if not any(os.environ.get(name) for name in ("LINKADMIN_DATABASE_URL", "LINKADMIN_DATABASE_URL_FILE")):
            stamp.write_text(wanted)
    for needed in ("broker/messages", "broker/control", "beat"):
        (data / needed).mkdir(parents=True, exist_ok=True)


def fingerprint(variables: object, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(repr(variables).encode())
    for path in files:
        status = path.stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _manage(*arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    # Protected from the terminal's Ctrl-C: the caller handles it and stops this process.
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True) as program:  # noqa: S603
        try:
            relay(program)
        except BaseException:
            program.kill()
            raise
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)


def relay(program: "subprocess.Popen[str]") -> None:
    started = time.monotonic()
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(program, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=TICK_SECONDS)
        except queue.Empty:
            say(f"  still working after {time.monotonic() - started:.0f} s")
            continue
        if line is None:
            return
        say(line.rstrip())


def _read(program: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    for line in program.stdout or ():
        lines.put(line)
    lines.put(None)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
