"""Fixtures for all tests."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from linkadmin.audit.models import AuditHead
from linkadmin.heartbeats import watch
from linkadmin.simulator.server import Simulator

from .house import Clock, House, build
from .slowness import SlowProvider

pytest_plugins = ["tests.needs"]

AUDIT_TABLE = "audit_auditevent"


@pytest.fixture(autouse=True)
def _has_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no page miss the background programs, which don't run in tests."""
    monkeypatch.setattr(watch, "_started", time.monotonic())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    """A provider simulator that keeps every call as it came, secrets included."""
    with Simulator(record=True, clock=clock) as running:
        yield running


@pytest.fixture
def house(db: None, simulator: Simulator, clock: Clock) -> Iterator[House]:
    """The cast and two integrations. A test whose calls run beside the page needs `transaction=True`."""
    built = build(simulator, clock)
    yield built
    built.settled()


@pytest.fixture
def slow(house: House, settings: Settings) -> Iterator[SlowProvider]:
    """A provider that answers what takes time when the test says so. Pages wait only a moment for it."""
    settings.OPERATION_ANSWER_SECONDS = 0.1
    settings.PROVIDER_READ_SECONDS = 120  # a read that waits this long is repeated
    provider = SlowProvider(house.simulator.world)
    yield provider
    provider.answers()


@contextmanager
def audit_triggers_lifted() -> Iterator[None]:
    """Let the audit table be changed, as somebody who owns the database can."""
    if connection.vendor == "postgresql":
        lift, restore = (
            [f"ALTER TABLE {AUDIT_TABLE} DISABLE TRIGGER USER"],
            [f"ALTER TABLE {AUDIT_TABLE} ENABLE TRIGGER USER"],
        )
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [AUDIT_TABLE]
            )
            triggers = cursor.fetchall()
        lift, restore = [f"DROP TRIGGER {name}" for name, _sql in triggers], [sql for _name, sql in triggers]
    _execute(lift)
    try:
        yield
    finally:
        _execute(restore)


def _execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def _append_only_tables_can_be_flushed() -> Iterator[None]:
    """Let transactional tests empty all tables after themselves; while they run the triggers are on."""
    operations = type(connection.ops)  # of every connection: beside an event loop, a thread has another one
    flush = operations.execute_sql_flush

    def flush_all(self: Any, sql_list: Any) -> None:
        with audit_triggers_lifted():
            flush(self, sql_list)
        AuditHead.objects.create()

    patch = pytest.MonkeyPatch()
    patch.setattr(operations, "execute_sql_flush", flush_all)
    yield
    patch.undo()
