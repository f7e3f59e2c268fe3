"""The product's other programs, and the provider simulator, as processes of a run."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from .engines import Database, NotMeasured, free_port
from .run import run_python
from .servers import START_SECONDS, process

SETTINGS = {"DJANGO_SETTINGS_MODULE": "linkadmin.settings"}
WORKER = ["-m", "celery", "--quiet", "--app", "linkadmin", "worker", "--pool", "threads", "--concurrency", "4"]
ALONE = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "error"]


@dataclass(frozen=True, slots=True)
class Simulator:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, said: Mapping[str, Any], method: str = "PUT") -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, json.dumps(said), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read() or b"{}")

    def settings(self) -> dict[str, Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", "/settings.json")
            settings: dict[str, Any] = json.loads(connection.getresponse().read())
            return settings


@contextmanager
def simulator(rows: Database, *, belvo_links: int = 0, heron_links: int = 0, **settings: int) -> Iterator[Simulator]:
    port = free_port()
    options = {"port": port, "belvo-links": belvo_links, "heron-links": heron_links, "heron-limit": 0, **settings}
    command = ["manage.py", "simulator", *(f"--{name}={value}" for name, value in options.items())]
    with process(command, rows.environment | SETTINGS) as running:
        started, itself = time.monotonic(), Simulator(port)
        while True:
            try:
                itself.settings()
                break
            except OSError:
                if running.poll() is not None or time.monotonic() > started + START_SECONDS:
                    raise NotMeasured("the simulator doesn't start") from None
                time.sleep(0.1)
        yield itself


@contextmanager
def worker(rows: Database, **variables: str) -> Iterator[int]:
    """Run a worker; its process ID is yielded once it takes messages."""
    pulses = "SELECT MAX(alive_at) FROM heartbeats_heartbeat WHERE kind = 'worker'"
    before = rows.query(pulses)
    environment = rows.environment | SETTINGS | variables
    with process([*WORKER, *ALONE], environment) as running:
        deadline = time.monotonic() + START_SECONDS
        while rows.query(pulses) == before:
            if running.poll() is not None or time.monotonic() > deadline:
                raise NotMeasured("the worker doesn't start")
            time.sleep(0.2)
        yield running.pid


@dataclass(frozen=True, slots=True)
class Account:
    """One of our accounts at the simulated provider."""

    id: str
    webhook_path: str
    webhook_authorization: str
    links: tuple[str, ...]
    remote_ids: tuple[str, ...]


@contextmanager
def accounts(rows: Database, provider: str, url: str, *, count: int = 1, links: int = 0) -> Iterator[list[Account]]:
    """Add integrations at the simulator, with links for its first records; they are removed afterwards."""
    environment = rows.environment | SETTINGS
    added = json.loads(run_python(environment, "benchmarks.accounts", "add", provider, url, str(count), str(links)))
    try:
        yield [Account(**each) for each in added]
    finally:
        run_python(environment, "benchmarks.accounts", "remove")
