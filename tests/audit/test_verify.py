"""Verifying the chain."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit import stored_events
from linkadmin.audit.chain import audit_key, chained_hash, keyed_mac
from linkadmin.audit.log import record
from linkadmin.audit.models import AuditEvent, AuditHead, Outcome
from linkadmin.audit.verify import verify
from tests.conftest import audit_triggers_lifted

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def chain() -> list[AuditEvent]:
    for number in range(1, 6):
        record(actor=None, action="link.seen", object_id=f"l-{number}", outcome=Outcome.DONE, details={"n": number})
    return list(AuditEvent.objects.order_by("seq"))


def sql(statement: str, *values: object) -> None:
    with audit_triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_verifies_an_empty_log() -> None:
    report = verify()

    assert report.is_whole
    assert report.events == 0


def test_verifies_an_untouched_log_over_several_chunks(
    chain: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_events, "CHUNK", 2)

    report = verify()

    assert report.is_whole
    assert (report.events, report.head) == (5, chain[-1].hash)


@pytest.mark.parametrize("microsecond", [0, 1, 120_000, 999_999])
def test_verifies_events_however_the_database_writes_them(microsecond: int) -> None:
    ana = User(username='Zoë "Q" \\ \u2028', roles=Role.SUPPORT)
    details = {"yes": True, "longer name": 'ü "\\', "a": -1}

    with time_machine.travel(datetime(2026, 2, 28, 23, 59, 59, microsecond, tzinfo=UTC), tick=False):
        record(actor=ana, action="link.seen", outcome=Outcome.DONE, details=details)

    assert AuditEvent.objects.get().details == details
    assert verify().is_whole


def change_a_column() -> None:
    sql("UPDATE audit_auditevent SET actor = 'somebody else' WHERE seq = 3")


def change_the_details() -> None:
    sql("""UPDATE audit_auditevent SET details = '{"n": 9}' WHERE seq = 3""")


def change_a_detail_s_type() -> None:
    sql("""UPDATE audit_auditevent SET details = '{"n": "3"}' WHERE seq = 3""")


def change_the_time() -> None:
    sql("UPDATE audit_auditevent SET at = %s WHERE seq = 3", timezone.now())


def make_a_column_unreadable() -> None:
    sql("UPDATE audit_auditevent SET actor = %s WHERE seq = 3", b"\xff" if connection.vendor == "sqlite" else "\uffff")


def change_the_text() -> None:
    sql("UPDATE audit_auditevent SET canonical = replace(canonical, 'link.seen', 'link.made') WHERE seq = 3")


def rewrite_without_the_key() -> None:
    event = AuditEvent.objects.get(seq=3)
    text = event.canonical.replace("link.seen", "link.made")
    changed = (text, chained_hash(text, prev=event.prev), keyed_mac(chained_hash(text, prev=event.prev), key=b"guess"))
    sql("UPDATE audit_auditevent SET action = 'link.made', canonical = %s, hash = %s, mac = %s WHERE seq = 3", *changed)


def remove_an_event() -> None:
    sql("DELETE FROM audit_auditevent WHERE seq = 3")


def remove_and_close_the_gap() -> None:
    sql("DELETE FROM audit_auditevent WHERE seq = 3")
    sql("UPDATE audit_auditevent SET seq = 3 WHERE seq = 4")


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    "tamper",
    [
        change_a_column,
        change_the_details,
        change_a_detail_s_type,
        change_the_time,
        make_a_column_unreadable,
        change_the_text,
        rewrite_without_the_key,
        remove_an_event,
        remove_and_close_the_gap,
    ],
)
def test_names_the_first_event_that_is_not_as_recorded(tamper: Callable[[], None]) -> None:
    tamper()

    report = verify()

    assert report.broken is not None
    assert (report.events, report.broken.seq) == (2, 3)


def test_notices_a_rewrite_with_the_key_at_the_next_event(chain: list[AuditEvent]) -> None:
    text = chain[2].canonical.replace("link.seen", "link.made")
    changed = chained_hash(text, prev=chain[2].prev)
    mac = keyed_mac(changed, key=audit_key())
    sql(
        "UPDATE audit_auditevent SET action = 'link.made', canonical = %s, hash = %s, mac = %s WHERE seq = 3",
        text,
        changed,
        mac,
    )

    report = verify()

    assert report.broken is not None
    assert report.broken.seq == 4


@pytest.mark.usefixtures("chain")
def test_notices_that_the_last_event_was_cut_off() -> None:
    sql("DELETE FROM audit_auditevent WHERE seq = 5")

    report = verify()

    assert report.broken is not None
    assert report.broken.seq == 5


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("seq", [6, 0, -1])
def test_notices_an_event_that_is_not_of_the_chain(seq: int) -> None:
    columns = ", ".join(field.column for field in AuditEvent._meta.fields if field.column != "seq")
    sql(f"INSERT INTO audit_auditevent (seq, {columns}) SELECT {seq}, {columns} FROM audit_auditevent WHERE seq = 5")  # noqa: S608

    assert not verify().is_whole


@pytest.mark.usefixtures("chain")
def test_notices_a_missing_head() -> None:
    AuditHead.objects.all().delete()

    assert not verify().is_whole


@pytest.mark.usefixtures("chain")
def test_trusts_no_event_under_another_key(settings: Settings) -> None:
    settings.AUDIT_KEY = "another key"

    report = verify()

    assert report.broken is not None
    assert report.broken.seq == 1


@pytest.mark.usefixtures("chain")
def test_command_says_that_the_log_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit")

    assert "Audit log verified: 5 events" in capsys.readouterr().out


@pytest.mark.usefixtures("chain")
def test_command_fails_with_the_number_of_the_first_bad_event() -> None:
    change_a_column()

    with pytest.raises(CommandError, match="broken at event 3") as failure:
        call_command("verify_audit")

    assert failure.value.returncode == 1
