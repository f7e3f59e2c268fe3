"""Run the provider simulator until Ctrl-C or SIGTERM."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from linkadmin.simulator.generated import EMPTY, Population
from linkadmin.simulator.server import Simulator
from linkadmin.simulator.settings import DEFAULTS, MEANINGS, SimulatorSettings
from linkadmin.simulator.state_file import StateFileError

WEBHOOKS = {
    "--belvo-webhook": "the URL Belvo sends webhooks to",
    "--belvo-webhook-authorization": "its Authorization header (Bearer belvo-sandbox-practice)",
    "--heron-webhook-secret": "the secret Heron signs webhooks with (sec_sandbox_practice)",
    "--plaid-webhook": "the URL Plaid sends webhooks to",
}


def _text_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ArgumentTypeError(f"{path} can't be read: {error.strerror}") from None


class Command(BaseCommand):
    help = "Runs the simulator of Heron, Belvo and Plaid on the loopback interface until Ctrl-C or SIGTERM."
    requires_system_checks = ()  # it needs neither a database nor keys

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8800, help="0 picks a free port")
        parser.add_argument("--state", type=Path, metavar="FILE", help="store links in this file across restarts")
        parser.add_argument(
            "--record", action="store_true", help="record full bodies, secrets included, in memory and on /calls.json"
        )
        settings = parser.add_argument_group(
            "settings", "can be changed while it runs; see the guide on its first page"
        )
        for name, usual in asdict(DEFAULTS).items():
            option = f"--{name.replace('_', '-')}"
            settings.add_argument(option, type=type(usual), default=usual, help=f"{MEANINGS[name]} (%(default)s)")

        webhooks = parser.add_argument_group(
            "webhooks",
            "sent only to this machine; subscribe to Heron's through its API. Each option names a file with the "
            "value, because everyone on the machine can read command lines",
        )
        for option, meaning in WEBHOOKS.items():
            webhooks.add_argument(option, type=_text_in, metavar="FILE", help=meaning)

        population = parser.add_argument_group("population", "generated links and end users; no file needed")
        population.add_argument(
            "--seed", type=int, default=EMPTY.seed, help="the same seed generates the same population"
        )
        population.add_argument("--belvo-links", type=int, default=0, metavar="N", help="about 30,000 per second")
        population.add_argument("--heron-links", type=int, default=0, metavar="N", help="seven end users per ten links")

    def handle(self, *args: Any, **options: Any) -> None:
        simulator = self._simulator(options)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        try:
            simulator.start()
        except OSError as error:
            raise CommandError(f"The simulator can't start on port {options['port']}: {error.strerror}.") from error
        except StateFileError as error:
            raise CommandError(f"The simulator can't read its state: {error}.") from error
        self.stdout.write(f"Simulator: {simulator.url}/")
        self.stdout.flush()
        stopping.wait()
        simulator.stop()

    def _simulator(self, options: dict[str, Any]) -> Simulator:
        try:
            settings = SimulatorSettings(**{name: options[name] for name in MEANINGS})
            population = Population(options["seed"], options["belvo_links"], options["heron_links"])
            simulator = Simulator(
                options["port"], options["state"], options["record"], settings=settings, population=population
            )
            simulator.webhooks(
                belvo_url=options["belvo_webhook"],
                belvo_authorization=options["belvo_webhook_authorization"],
                heron_secret=options["heron_webhook_secret"],
                plaid_url=options["plaid_webhook"],
            )
        except ValueError as error:
            raise CommandError(f"{error}.") from error
        return simulator
