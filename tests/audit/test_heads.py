"""Signed heads: they reveal changes even if the database can't be trusted."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit import heads
from linkadmin.audit.chain import audit_key, canonical_text, chained_hash, keyed_mac
from linkadmin.audit.log import record
from linkadmin.audit.models import AuditCheck, AuditEvent, AuditHead, Outcome
from linkadmin.audit.tasks import sign_head, verify
from tests.conftest import audit_triggers_lifted

pytestmark = pytest.mark.database


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads.jsonl")
    return tmp_path / "heads.jsonl"


@pytest.fixture
def log(db: None, file: Path) -> Path:
    """Five events, with one signed head."""
    append(5)
    heads.sign()
    return file


def append(count: int) -> None:
    for _number in range(count):
        record(actor=None, action="link.seen", outcome=Outcome.DONE)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def sql(*statements: str) -> None:
    with audit_triggers_lifted(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def exit_status(**options: Path) -> tuple[int, str]:
    try:
        call_command("verify_audit", **options)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


# --- When one is written ---


@pytest.mark.django_db(transaction=True)
def test_signs_every_hundredth_event_into_the_file_and_the_log_stream(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AuditHead.objects.update(signed_at=timezone.now())
    append(250)

    written = lines(file)
    assert [line["seq"] for line in written] == [100, 200]
    assert written[0].keys() == {"event", "seq", "hash", "time", "signature"}
    assert written[0]["hash"] == AuditEvent.objects.get(seq=100).hash
    assert file.stat().st_mode & 0o777 == 0o600
    told = [entry.msg for entry in caplog.records if entry.name == "linkadmin.audit.heads"]
    assert [entry["signature"] for entry in told] == [line["signature"] for line in written]  # type: ignore[index]


@pytest.mark.django_db(transaction=True)
def test_signs_after_five_minutes_with_the_next_event_or_by_the_clock(file: Path) -> None:
    AuditHead.objects.update(signed_at=timezone.now() - timedelta(minutes=6))
    append(1)
    append(1)
    sign_head()
    assert [line["seq"] for line in lines(file)] == [1]

    AuditHead.objects.update(signed_at=timezone.now() - timedelta(minutes=6))
    sign_head()
    sign_head()
    assert [line["seq"] for line in lines(file)] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_signs_nothing_of_an_action_that_is_rolled_back(file: Path) -> None:
    AuditHead.objects.update(signed_at=timezone.now() - timedelta(minutes=6))
    with transaction.atomic():
        append(1)
        transaction.set_rollback(True)

    assert not file.exists()


@pytest.mark.django_db(transaction=True)
def test_unwritable_file_loses_no_action_and_alerts_until_fixed(settings: Settings, file: Path) -> None:
    settings.AUDIT_HEADS_FILE = str(file.parent / "missing" / "heads.jsonl")
    AuditHead.objects.update(signed_at=timezone.now() - timedelta(minutes=6))
    append(1)

    assert AuditEvent.objects.count() == 1
    assert AuditCheck.objects.get().head_problem == "No such file or directory"

    (file.parent / "missing").mkdir()
    sign_head()
    assert AuditCheck.objects.get().head_problem == ""
    assert [line["seq"] for line in lines(Path(settings.AUDIT_HEADS_FILE))] == [1]


@pytest.mark.django_db
def test_begins_a_line_of_its_own_behind_one_that_was_cut_short(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-20])
    append(1)
    heads.sign()

    assert exit_status()[0] == 0
    assert heads.read(log).newest == 6
    assert heads.read(log).unreadable == 1


# --- What the log is held against ---


def cut_the_tail() -> None:
    hash_of_3 = AuditEvent.objects.get(seq=3).hash
    sql("DELETE FROM audit_auditevent WHERE seq > 3", f"UPDATE audit_audithead SET seq = 3, hash = '{hash_of_3}'")  # noqa: S608


def cut_the_tail_alone() -> None:
    sql("DELETE FROM audit_auditevent WHERE seq > 3")


def empty_the_table() -> None:
    sql("DELETE FROM audit_auditevent", f"UPDATE audit_audithead SET seq = 0, hash = '{'0' * 64}'")  # noqa: S608


def restore_an_old_copy_and_continue() -> None:
    cut_the_tail()
    append(4)


def rewrite_the_last_event_with_the_key() -> None:
    event = AuditEvent.objects.get(seq=5)
    text = event.canonical.replace("link.seen", "link.made")
    new = chained_hash(text, prev=event.prev)
    with audit_triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_auditevent SET action = 'link.made', canonical = %s, hash = %s, mac = %s WHERE seq = 5",
            [text, new, keyed_mac(new, key=audit_key())],
        )
    AuditHead.objects.update(hash=new)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (cut_the_tail, "ends at event 3, but a signed head refers to event 5"),
        (cut_the_tail_alone, "ends at event 3, but a signed head refers to event 5"),
        (empty_the_table, "ends at event 0, but a signed head refers to event 5"),
        (restore_an_old_copy_and_continue, "event 5 doesn't match its signed head"),
        (rewrite_the_last_event_with_the_key, "event 5 doesn't match its signed head"),
    ],
)
def test_exits_2_when_the_log_is_cut_or_rewritten(tamper: Callable[[], None], words: str) -> None:
    tamper()

    status, said = exit_status()
    assert status == 2
    assert words in said


def test_takes_the_log_stream_for_a_file_of_heads(log: Path, settings: Settings, tmp_path: Path) -> None:
    head = log.read_text()
    settings.AUDIT_HEADS_FILE = ""
    stream = tmp_path / "stream"
    stream.write_text(f'{{"event": "full_check.done"}}\nnot JSON at all\nNov 29 03:10:00 web linkadmin[7]: {head}')
    assert exit_status(heads=stream)[0] == 0

    cut_the_tail()
    assert exit_status()[0] == 0
    assert exit_status(heads=stream)[0] == 2


def test_ignores_a_head_whose_signature_is_wrong_and_says_so(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = json.loads(log.read_text())
    with log.open("a") as file:
        file.write(json.dumps(forged | {"seq": 9}) + "\n")
        file.write(json.dumps(forged | {"hash": "f" * 64}) + "\n")
        signature = keyed_mac(canonical_text({"seq": 9}), key=b"guess")
        file.write(json.dumps(forged | {"seq": 9, "signature": signature}) + "\n")

    assert exit_status()[0] == 0
    assert "We ignored 3 signed heads with invalid signatures" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b'{"event": "audit.head", "seq": 5'])
def test_exits_2_when_the_file_of_heads_is_cut(log: Path, content: bytes) -> None:
    log.write_bytes(content)

    status, said = exit_status()
    assert status == 2
    assert "signed-heads file was truncated: it ends at event 0, but event 5 had been written to it" in said


def test_exits_2_when_the_file_of_heads_is_gone(log: Path, tmp_path: Path) -> None:
    log.unlink()

    assert exit_status()[0] == 2
    assert exit_status(heads=tmp_path / "none")[0] == 2


@pytest.mark.django_db
def test_asks_for_no_head_before_the_first_is_written(file: Path) -> None:
    append(1)

    assert not file.exists()
    assert exit_status()[0] == 0


def test_says_that_the_log_is_broken_rather_than_rewritten(log: Path) -> None:
    sql("UPDATE audit_auditevent SET actor = 'somebody else' WHERE seq = 2")

    status, said = exit_status()
    assert status == 1
    assert "broken at event 2" in said


# --- The triggers ---


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(
    ("statements", "name"),
    [
        (["DROP TRIGGER audit_event_no_delete"], "audit_event_no_delete"),
        (["DROP TRIGGER audit_event_no_replace"], "audit_event_no_replace"),
        (
            [
                "DROP TRIGGER audit_event_no_update",
                "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_auditevent WHEN 1 = 2 BEGIN SELECT 1; END",
            ],
            "audit_event_no_update",
        ),
    ]
    if connection.vendor == "sqlite"
    else [
        (["DROP TRIGGER audit_event_no_change ON audit_auditevent"], "audit_event_no_change"),
        (["ALTER TABLE audit_auditevent DISABLE TRIGGER audit_event_no_truncate"], "audit_event_no_truncate"),
        (
            [
                "CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NEW; END $$"
            ],
            "audit_event_no_change, audit_event_no_truncate",
        ),
    ],
)
def test_exits_1_without_the_triggers_and_names_them(statements: list[str], name: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

    status, said = exit_status()
    assert status == 1
    assert f"Missing or disabled triggers: {name}." in said


# --- The nightly run ---


@pytest.mark.usefixtures("log")
def test_the_nightly_run_reads_the_file_and_stores_its_findings() -> None:
    verify()
    assert AuditCheck.objects.get().verdict == AuditCheck.Verdict.GOOD

    cut_the_tail()
    verify()
    check = AuditCheck.objects.get()
    assert check.verdict == AuditCheck.Verdict.CUT
    assert "The log was truncated" in check.finding


# --- As real processes ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "said",
    [
        '"seq": 1, "signature": "\\ud800"',
        '"seq": "\\ud800", "signature": "x"',
        '"signature": "x", "seq": ' + "[" * 100_000 + "]" * 100_000,
        '"signature": "x", "seq": ' + "9" * 5_000,
        '"signature": "x", "seq": NaN',
    ],
)
def test_no_line_keeps_the_log_from_being_verified(log: Path, said: str) -> None:
    with log.open("a") as file:
        file.write(f'{{"event": "audit.head", "hash": "x", "time": "x", {said}}}\n')

    verify()

    check = AuditCheck.objects.get()
    assert check.verdict == AuditCheck.Verdict.GOOD
    assert "1 signed head" in check.finding


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("put", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir])
def test_nothing_put_in_the_place_of_the_file_holds_the_nightly_run(log: Path, put: Callable[[Path], None]) -> None:
    log.unlink()
    put(log)

    verify()

    check = AuditCheck.objects.get()
    assert check.verdict == AuditCheck.Verdict.CUT
    assert "it isn't a regular file" in check.finding
