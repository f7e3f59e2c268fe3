"""Signed heads: the log's length and last hash, written outside its database.

A head is one JSON line in the log stream, and in a file if configured: seq, hash, time, signature.
"""

import fcntl
import hmac
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from .chain import audit_key, canonical_text, instant_text, keyed_mac
from .models import AuditCheck, AuditHead

EVERY_EVENTS = 100
EVERY = timedelta(minutes=5)
EVENT = "audit.head"  # identifies heads among other lines of the log stream
LOCK_SECONDS = 5.0  # a finished action waits no longer for the file
_DOMAIN = "linkadmin-audit-head-v1"

logger = structlog.get_logger(__name__)


@dataclass
class Heads:
    """The heads in a file, and how many of its lines aren't valid heads."""

    hashes: dict[int, set[str]] = field(default_factory=dict)  # by seq
    forged: int = 0  # lines with a wrong signature
    unreadable: int = 0  # truncated or damaged lines

    @property
    def newest(self) -> int:
        return max(self.hashes, default=0)


def is_due(head: AuditHead, *, seq: int, at: datetime) -> bool:
    # A forged mark in the row, such as a future time, delays nothing.
    return not (0 <= seq - head.signed_seq < EVERY_EVENTS and timedelta(0) <= at - head.signed_at < EVERY)


def sign_waiting() -> None:
    """Sign events of quiet periods, and retry a head that couldn't be written."""
    head, now = AuditHead.objects.first(), timezone.now()
    if head is None:
        return
    waits = head.seq != head.signed_seq and is_due(head, seq=head.seq, at=now)
    if waits:
        AuditHead.objects.filter(seq=head.seq).update(signed_seq=head.seq, signed_at=now)
    if waits or (settings.AUDIT_HEADS_FILE and AuditCheck.objects.exclude(head_problem="").exists()):
        sign()


def sign() -> None:
    """Write the current head. If the file can't be written, administrators are alerted and no action is lost."""
    path, problem = settings.AUDIT_HEADS_FILE, ""
    if not path:
        _signed_head()
        return
    try:
        with _locked(Path(path)) as file:
            seq = _append(file, _signed_head())
    except OSError as error:
        seq, problem = 0, error.strerror or type(error).__name__
        logger.error("audit.head_not_written", error=problem)
    _note(seq, problem)


def read(path: Path) -> Heads:
    """Read the heads in a file: ours, or any part of the log stream. Raises OSError."""
    heads, key = Heads(), audit_key()
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            _take(heads, line, key)
    return heads


def _take(heads: Heads, line: str, key: bytes) -> None:
    if EVENT not in line:
        heads.unreadable += bool(line.strip()) and not line.endswith("\n")  # a truncated line
        return
    try:
        said = json.loads(line[line.index("{") :])  # a log collector may prefix the host
        if said.get("event") != EVENT:  # about heads, such as audit.head_not_written
            return
        seq, event_hash, written = said["seq"], str(said["hash"]), str(said["time"])
        signature = str(said["signature"])
        is_ours = hmac.compare_digest(signature.encode(), _signature(seq, event_hash, written, key).encode())
    except (ValueError, KeyError, AttributeError, RecursionError):  # lone surrogates, endlessly nested lists
        heads.unreadable += 1
        return
    if not is_ours:
        heads.forged += 1
        return
    heads.hashes.setdefault(seq, set()).add(event_hash)


def _signature(seq: int, event_hash: str, written: str, key: bytes) -> str:
    return keyed_mac(_DOMAIN + canonical_text({"seq": seq, "hash": event_hash, "time": written}), key=key)


def _signed_head() -> dict[str, Any]:
    head, written = AuditHead.objects.get(), instant_text(timezone.now())
    line = {
        "seq": head.seq,
        "hash": head.hash,
        "time": written,
        "signature": _signature(head.seq, head.hash, written, audit_key()),
    }
    logger.info(EVENT, **line)
    return line


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the file for one writer at a time, so that heads stay in order."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "it isn't a regular file")
        os.fchmod(file, 0o600)
        _lock(file)
        yield file
    finally:
        os.close(file)


def _lock(file: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)


def _append(file: int, head: dict[str, Any]) -> int:
    line = json.dumps({"event": EVENT} | head).encode() + b"\n"
    size = os.fstat(file).st_size
    # A full disk may have cut the last line short.
    if size and os.pread(file, 1, size - 1) != b"\n":
        line = b"\n" + line
    if os.write(file, line) != len(line):
        raise OSError(0, "the disk is full")
    os.fsync(file)
    return int(head["seq"])


def _note(seq: int, problem: str) -> None:
    check, _new = AuditCheck.objects.get_or_create(pk=1)
    if not problem:
        AuditCheck.objects.update(head_seq=seq, head_problem="", head_problem_since=None)
    elif not check.head_problem:
        AuditCheck.objects.update(head_problem=problem[:200], head_problem_since=timezone.now())
