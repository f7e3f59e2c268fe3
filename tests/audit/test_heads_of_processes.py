"""Signed heads written by several processes, over a log of their own."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from .test_heads import lines

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]


def in_a_process(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    private = {
        "LINKADMIN_DATA": str(folder),
        "LINKADMIN_DATABASE_URL": "",
        "LINKADMIN_AUDIT_KEY": "the key of this test",
        "LINKADMIN_AUDIT_HEADS_FILE": str(folder.parent / "outside" / "heads.jsonl"),
        "LINKADMIN_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "linkadmin.settings",
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | private,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


APPEND = """
import django
django.setup()
from linkadmin.audit import heads
from linkadmin.audit.log import record
heads.EVERY_EVENTS = 1
for _number in range(25):
    record(actor=None, action="link.seen", outcome="done")
"""


def test_several_processes_keep_the_order_of_heads_and_a_copy_put_back_is_found_out(tmp_path: Path) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()

    def verified() -> tuple[int, str]:
        process = in_a_process(folder, "manage.py", "verify_audit")
        out, err = process.communicate()
        return process.returncode, out + err

    migrating = in_a_process(folder, "manage.py", "migrate", "audit")
    assert "0001_initial" in migrating.communicate()[0]
    writers = [in_a_process(folder, "-c", APPEND) for _writer in range(4)]
    told = [writer.communicate()[1] for writer in writers]

    written = [int(str(line["seq"])) for line in lines(outside / "heads.jsonl")]
    assert written == sorted(written)
    assert (len(written), written[-1]) == (100, 100)
    # Whatever the level of the log is, its stream has every head.
    in_stream = sorted(json.loads(line)["seq"] for err in told for line in err.splitlines() if "audit.head" in line)
    assert in_stream == written
    assert verified()[0] == 0

    with sqlite3.connect(folder / "linkadmin.sqlite3") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(folder / "linkadmin.sqlite3", tmp_path / "copy")
    later = in_a_process(folder, "-c", APPEND)
    later.communicate()
    assert later.returncode == 0
    for leftover in folder.glob("linkadmin.sqlite3*"):
        leftover.unlink()
    shutil.copy(tmp_path / "copy", folder / "linkadmin.sqlite3")

    status, said = verified()
    assert status == 2
    assert "ends at event 100, but a signed head refers to event 125" in said
