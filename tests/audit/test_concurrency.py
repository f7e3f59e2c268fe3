"""Concurrent appends to the audit log."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from linkadmin.audit.log import record
from linkadmin.audit.models import AuditEvent, Outcome
from linkadmin.audit.verify import verify

pytestmark = pytest.mark.database

WRITERS, EVENTS = 4, 25


@pytest.fixture
def _one_database_for_all_threads(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Give threads a database file; the tests' own database lives in one connection's memory."""
    if connection.vendor != "sqlite":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections.settings["default"], "NAME", tmp_path / "audit.sqlite3")
        in_threads(migrate)
        yield


def migrate() -> None:
    MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("audit"))


def in_threads(work: Callable[[], None], *, threads: int = 1) -> None:
    def work_and_close() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work_and_close) for _number in range(threads)]:
            done.result()


def append_some() -> None:
    for number in range(EVENTS):
        with transaction.atomic():
            record(actor=None, action="link.seen", outcome=Outcome.DONE, details={"number": number})


@pytest.mark.usefixtures("_one_database_for_all_threads")
def test_leaves_neither_a_gap_nor_a_fork() -> None:
    in_threads(append_some, threads=WRITERS)

    def look() -> None:
        numbers = list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True))
        assert numbers == list(range(1, WRITERS * EVENTS + 1))
        assert verify().is_whole

    in_threads(look)
