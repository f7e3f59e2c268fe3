"""Everything `make run` needs before its programs start, in one process."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from linkadmin.demo.assets import collect_if_changed
from linkadmin.demo.inboxes import connect
from linkadmin.demo.preparation import BELVO_WEBHOOK
from linkadmin.demo.world import NotEmpty, plant
from linkadmin.links.models import Integration


class Command(BaseCommand):
    help = "Make the database, the static files and the data of the demo, as far as they are missing."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEMO and settings.SIMULATOR_URL and settings.DEMO_URL):
            raise CommandError(
                "This plants demo staff and data: it needs LINKADMIN_DEMO=1, LINKADMIN_DEMO_URL "
                "and LINKADMIN_SIMULATOR_URL."
            )
        data: Path = settings.DATA_DIR
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        collect_if_changed(data / "static.stamp")
        try:
            plant(simulator_state=data / "simulator.json", simulator_url=settings.SIMULATOR_URL)
        except NotEmpty:
            raise CommandError("This database has staff already. The demo needs a database of its own.") from None
        # Another SIMULATOR_PORT than last time moves the providers of the demo, and of the demo only.
        Integration.objects.filter(base_url__startswith="http://127.0.0.1:").update(base_url=settings.SIMULATOR_URL)
        connect(
            simulator_state=data / "simulator.json",
            belvo_webhook=data / BELVO_WEBHOOK,
            url=settings.DEMO_URL,
            simulator_url=settings.SIMULATOR_URL,
        )
