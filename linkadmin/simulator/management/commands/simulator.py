"""Run the provider simulator until it is told to end."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from linkadmin.simulator.server import Simulator
from linkadmin.simulator.storage import StateFileError


class Command(BaseCommand):
    help = "Runs the simulator of Heron and Belvo on the loopback, until Ctrl-C or SIGTERM."
    requires_system_checks = ()  # it needs neither database nor keys

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8800, help="0 takes any free port")
        parser.add_argument("--state", type=Path, metavar="FILE", help="keep the links in this file over restarts")
        parser.add_argument(
            "--record", action="store_true", help="keep whole bodies, secrets too, in memory and on /calls.json"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        told_to_end = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told_to_end.set())
        simulator = Simulator(options["port"], options["state"], options["record"])
        try:
            simulator.start()
        except OSError as error:
            raise CommandError(f"The simulator cannot start on port {options['port']}: {error.strerror}.") from error
        except StateFileError as error:
            raise CommandError(f"The simulator cannot read its state: {error}.") from error
        self.stdout.write(f"Simulator: {simulator.url}/")
        self.stdout.flush()
        told_to_end.wait()
        simulator.stop()
