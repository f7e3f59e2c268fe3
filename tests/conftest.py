"""Fixtures for all tests."""

import gc
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from linkadmin import environment
from linkadmin.audit.models import AuditHead
from linkadmin.heartbeats import watch
from linkadmin.links.listing import known
from linkadmin.simulator.server import Simulator
from linkadmin.webhooks.intake import with_intake

from . import background
from .environment import Clock, Environment, build
from .migrated import migrated_database, migrated_template
from .slowness import SlowProvider

pytest_plugins = ["tests.needs"]

AUDIT_TABLE = "audit_auditevent"
KEPT_TABLES = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the garbage collector skip the thousands of collected tests, and run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def _copied_database(django_db_modify_db_settings: None) -> Iterator[None]:
    """Start with a copy of a migrated database, so that there is nothing left to migrate."""
    if connection.vendor == "postgresql":
        template = migrated_template(environment.secret("LINKADMIN_DATABASE_URL"))
        connection.settings_dict["TEST"]["TEMPLATE"] = template
        yield
        return
    create = connection.creation._create_test_db

    def create_copy(*args: Any, **kwargs: Any) -> str:
        name: str = create(*args, **kwargs)
        shutil.copyfile(migrated_database(), name)
        return name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.creation, "_create_test_db", create_copy)
        yield


@pytest.fixture(scope="session")
def django_db_setup(_copied_database: None, django_db_setup: None) -> None:
    """Replaces pytest-django's, which it uses."""


@pytest.fixture(autouse=True)
def _has_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Background programs don't run in tests, and pages don't warn about it, however long a test takes."""
    monkeypatch.setattr(watch, "_started", time.monotonic() + 3600)


@pytest.fixture(autouse=True)
def _reads_names_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists name integrations, institutions and staff as they are now, not as another test left them."""
    monkeypatch.setattr(known, "FRESH_SECONDS", -1.0)


@pytest.fixture
def started_long_ago(_has_just_started: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages warn that background programs aren't running."""
    monkeypatch.setattr(watch, "_started", -watch.START_SECONDS)
    monkeypatch.setattr(watch, "_known", None)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show immediately what normally takes two seconds."""
    monkeypatch.setattr(watch, "KNOWN_SECONDS", 0)


@pytest.fixture
def known_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings about background programs stay cached for a whole test, however slow the machine."""
    monkeypatch.setattr(watch, "KNOWN_SECONDS", 3600)


@pytest.fixture
def running(db: None) -> None:
    """Background programs with fresh heartbeats."""
    background.run()


@pytest.fixture
def still() -> Iterator[datetime]:
    """The time, frozen at a whole second, so that a test takes no time and stays within its day."""
    now = timezone.now().replace(microsecond=0)
    with time_machine.travel(now, tick=False):
        yield now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    """A provider simulator that records every call, including secrets."""
    with Simulator(record=True, clock=clock) as running:
        yield running


@pytest.fixture
def env(db: None, simulator: Simulator, clock: Clock) -> Iterator[Environment]:
    """Staff and two integrations. Tests whose calls run in threads need `transaction=True`."""
    built = build(simulator, clock)
    built.calls_before = len(simulator.calls)
    yield built
    built.settled()


@pytest.fixture
def slow(env: Environment, settings: Settings) -> Iterator[SlowProvider]:
    """A provider that answers slow calls when the test says so. Pages wait only briefly for it."""
    settings.OPERATION_ANSWER_SECONDS = 0.1
    settings.PROVIDER_READ_SECONDS = 120  # a read that waits this long is retried
    provider = SlowProvider(env.simulator.store)
    yield provider
    provider.answers()


@pytest.fixture(scope="session")
def live_server(live_server: LiveServer) -> LiveServer:
    """The server of pytest-django, which also takes webhooks in as gunicorn does."""
    server = live_server.thread.httpd
    server.set_app(with_intake(server.get_app()))
    return live_server


@contextmanager
def audit_triggers_lifted() -> Iterator[None]:
    """Allow changes to the audit table, as a database owner could make them."""
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


def _empty_all_tables(self: object, **kwargs: object) -> None:
    """Delete what a transactional test left. Django's flush also recreates permissions, ten times slower."""
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT_TABLES
    with audit_triggers_lifted(), transaction.atomic():
        _execute([f'DELETE FROM "{table}"' for table in sorted(tables)])  # noqa: S608
    AuditHead.objects.create()


@pytest.fixture(scope="session", autouse=True)
def _transactional_tests_are_tidied_quickly() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_all_tables)
    yield
    patch.undo()
