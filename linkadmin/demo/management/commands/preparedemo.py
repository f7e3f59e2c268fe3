"""Everything `make run` needs before its programs start, in one process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from linkadmin import checks
from linkadmin.demo.endpoints import connect
from linkadmin.demo.guard import has_demo_staff
from linkadmin.demo.preparation import BELVO_WEBHOOK, PLAID_WEBHOOK, fingerprint, start_over
from linkadmin.demo.seed_data import NotEmpty, seed
from linkadmin.integrations.models import Integration
from linkadmin.links.models import EndUser, Link


class Command(BaseCommand):
    help = "Create the demo's database, static files and data, unless they exist."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO and settings.SIMULATOR_URL and settings.DEMO_URL):
            raise CommandError(
                "This creates demo staff and data. Set LINKADMIN_DEMO=1, LINKADMIN_DEMO_URL and "
                "LINKADMIN_SIMULATOR_URL."
            )
        data: Path = settings.DATA_DIR
        if checks.is_from_earlier_version():
            self._start_over(data)
        with self._step("Database"):
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
        self._say(f"  {len(MigrationRecorder(connection).applied_migrations())} migrations applied")
        with self._step("Static files"):
            self._collect_static(data / "static.stamp")
        try:
            with self._step("Demo data"):
                seeded = seed(simulator_state=data / "simulator.json", simulator_url=settings.SIMULATOR_URL)
        except NotEmpty:
            raise CommandError("This database already has staff. The demo needs its own database.") from None
        if seeded:
            self._say(f"  {Link.objects.count()} links of {EndUser.objects.count()} customers")
        # A different SIMULATOR_PORT moves the demo's integrations, and only those.
        Integration.objects.filter(base_url__startswith="http://127.0.0.1:").update(base_url=settings.SIMULATOR_URL)
        connect(
            simulator_state=data / "simulator.json",
            belvo_webhook=data / BELVO_WEBHOOK,
            plaid_webhook=data / PLAID_WEBHOOK,
            url=settings.DEMO_URL,
            simulator_url=settings.SIMULATOR_URL,
        )

    def _start_over(self, data: Path) -> None:
        if not has_demo_staff():
            raise CommandError(checks.REFUSAL)
        self._say("The demo's data is from an earlier version. Starting over")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                tables = ", ".join(map(connection.ops.quote_name, connection.introspection.table_names(cursor)))
                cursor.execute(f"DROP TABLE {tables} CASCADE")
        connection.close()
        start_over(data)

    def _collect_static(self, stamp: Path) -> None:
        # Collecting takes seconds.
        files = [Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([])]
        wanted = fingerprint(settings.STORAGES, files)
        if not (stamp.exists() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).exists()):
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(wanted)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._say(f"{name}…")
        started = time.monotonic()
        yield
        self._say(f"{name} ready, {time.monotonic() - started:.0f} s")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
