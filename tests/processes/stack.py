"""The product as deployed: web, worker, beat and the simulator as real programs, configured only by environment."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from linkadmin.accounts.management.commands.makekeys import KEYS
from linkadmin.logs import without_secret_paths
from tests.migrated import migrated_database

from .browser import Browser

PROJECT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
CREDENTIALS_SECONDS, MARGIN_SECONDS = 5, 1  # after both, a call of a dead process is considered lost
PROGRAMS = ("web", "worker", "beat")
DATABASE = "linkadmin.sqlite3"
# Seconds instead of minutes, so that leases and challenges expire during a test.
SHORTENED = {
    "LINKADMIN_PROVIDER_CREDENTIALS_SECONDS": str(CREDENTIALS_SECONDS),
    "LINKADMIN_PROVIDER_CHANGE_SECONDS": str(CREDENTIALS_SECONDS),
    "LINKADMIN_LEASE_MARGIN_SECONDS": str(MARGIN_SECONDS),
    "LINKADMIN_RECONCILE_SETTLED_SECONDS": "4",
    "LINKADMIN_SWEEP_SECONDS": "1",
    "LINKADMIN_BODY_SECONDS": "3",
}
UNLIMITED = {"LINKADMIN_CREDENTIALS_PER_HOUR": "0"}  # tests send more of them than a person
BUSY = {"LINKADMIN_DATABASE_WAIT_SECONDS": "20"}  # of the web processes, too: tests share the machine
ACCESS = 'served by %(p)s: "%(r)s" %(s)s "%(f)s" "%(a)s"'  # the process, and everything that a request line can reveal
BANKS = ("erebor_mx_retail", "heimdall_mx_retail", "ironbank_br_retail")
LINKS_PER_BANK = 24  # enough for all tests of one worker
LONG_AGO = "2026-01-02T08:00:00Z"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class PlantedLink:
    """A link whose password the bank rejects."""

    id: str  # ours
    remote_id: str
    bank: str

    @property
    def page(self) -> str:
        return f"/links/{self.id}/"


def wait_for(look: Callable[[], Found | None], *, within: float = 120) -> Found:
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s, but {seen!r}"
        time.sleep(0.1)
    return seen


def wait_for_state(browser: Browser, link_page: str, words: str) -> None:
    """Wait until the status of a link's latest operation starts with `words`."""
    wait_for(lambda: browser.state_of(link_page).startswith(words))


class Stack:
    """`with Stack(folder) as stack: ...` kills all its processes at the end, even after an error."""

    def __init__(self, folder: Path, *, static: Path, web_processes: int = 2, **environment: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.logs = folder / "logs"
        self.environment = _inherited() | SHORTENED | UNLIMITED | BUSY | self._own() | environment
        self.url = f"http://{HOST}:{free_port()}"
        self.simulator_url = ""
        self.integrations: dict[str, str] = {}  # provider -> ID
        self.browsers: list[Browser] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions: set[int] = set()
        self._links: dict[str, list[PlantedLink]] = {}
        self._static = static
        self._web_processes = web_processes

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start(*PROGRAMS)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        # On a busy machine, killed processes may take a moment to disappear.
        wait_for(lambda: not self.processes())

    def start(self, *names: str) -> None:
        """Start programs that aren't running, and wait for the web server to answer."""
        for name in names:
            if name not in self._running:
                self._running[name] = self._spawn(name, self._command(name))
        if "web" in names:
            wait_for(lambda: self._answers("web", self.url))

    def start_another_machine(self) -> str:
        """Start a web process that shares only the database and the keys with the others. Returns its URL."""
        name, url = "web elsewhere", f"http://{HOST}:{free_port()}"
        data = self.folder / "data elsewhere"
        data.mkdir()
        for shared in ("keys", "static", DATABASE):
            (data / shared).symlink_to(self.data / shared)  # SQLite follows the database's link
        self._running[name] = self._spawn(name, self._web(url), LINKADMIN_DATA=str(data))
        wait_for(lambda: self._answers(name, url))
        return url

    def run_other_worker(self, *options: str) -> None:
        """Replace the usual worker with one that has these options. Runs until killed."""
        self.kill("worker")
        self._running["worker"] = self._spawn("worker", [*self._command("worker"), *options])

    def kill(self, *names: str) -> None:
        """Send SIGKILL to programs and their child processes."""
        for name in names:
            process = self._running.pop(name)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()

    def freeze(self, *names: str) -> None:
        """Stop programs without ending them, as on a machine that hangs."""
        for name in names:
            os.killpg(self._running[name].pid, signal.SIGSTOP)

    def thaw(self, *names: str) -> None:
        for name in names:
            os.killpg(self._running[name].pid, signal.SIGCONT)

    def kill_web_workers(self) -> None:
        """Kill the worker processes of gunicorn, but not its master, which starts new ones."""
        for worker in self.web_workers():
            os.kill(worker, signal.SIGKILL)

    def web_workers(self) -> list[int]:
        minder = self._running["web"].pid
        return [int(child) for child in Path(f"/proc/{minder}/task/{minder}/children").read_text().split()]

    def end(self) -> None:
        for name in list(self._running):
            with suppress(ProcessLookupError):
                self.kill(name)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for browser in self.browsers:
            browser.close()

    def processes(self) -> list[int]:
        """Find all processes of this stack by their session IDs."""
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _session_of(folder) in self._sessions]

    def browser(self, name: str = "ana", *, url: str = "") -> Browser:
        """Return a browser with `name` signed in, at `url` or the first web process."""
        browser = Browser(url or self.url)
        self.browsers.append(browser)
        browser.sign_in(name)
        return browser

    def link(self, bank: str = "erebor_mx_retail") -> PlantedLink:
        """Return a link to repair that no other test uses."""
        return self._links[bank].pop()

    def calls(self, method: str, path: str) -> list[dict[str, Any]]:
        """Return matching calls that reached the simulator, oldest first."""
        calls = requests.get(f"{self.simulator_url}/calls.json", timeout=60).json()
        return [call for call in calls if call["method"] == method and call["path"].startswith(path)]

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def runs(self, name: str) -> bool:
        return self._running[name].poll() is None

    def served_by(self, request: str) -> list[int]:
        """Return the IDs of web processes that answered requests starting with `request`, such as `GET /links/`."""
        logged = re.escape(without_secret_paths(request))
        return [int(worker) for worker in re.findall(rf'served by <(\d+)>: "{logged}', self.log("web"))]

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def run(self, function: str, *arguments: object) -> Any:
        """Call a function (`module:name`) with the stack's settings."""
        inside = self._running.get("inside") or self._start_inside()
        assert inside.stdin is not None
        assert inside.stdout is not None
        inside.stdin.write(json.dumps([function, arguments]).encode() + b"\n")
        inside.stdin.flush()
        result = inside.stdout.readline()
        assert result, self.log("inside")[-3000:]
        return json.loads(result)

    def _start_inside(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.processes.inside"]
        with (self.logs / "inside.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environment | {"LINKADMIN_ALLOW_LOOPBACK_PROVIDERS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._running["inside"] = process  # but no process of the product's
        return process

    def _own(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "linkadmin.settings",
            "LINKADMIN_ALLOW_LOOPBACK_PROVIDERS": "1",
            "LINKADMIN_DATA": str(self.data),
            "LINKADMIN_LOG_LEVEL": "DEBUG",
            "LINKADMIN_SECURE_COOKIES": "0",
            "PYTHONUNBUFFERED": "1",
        }

    def _prepare(self) -> None:
        for name in ("broker/messages", "broker/control", "beat", "keys"):
            (self.data / name).mkdir(parents=True)
        if not self.environment.get("LINKADMIN_DATABASE_URL"):
            shutil.copyfile(migrated_database(), self.data / DATABASE)
        self.logs.mkdir()
        self._static.mkdir(exist_ok=True)
        (self.data / "static").symlink_to(self._static)
        for name, (_variable, new_key) in KEYS.items():
            (self.data / "keys" / name).write_text(new_key())
        (self.data / "simulator.json").write_text(json.dumps(_remote_state()))
        self._running["simulator"] = self._spawn("simulator", self._command("simulator"))
        self.simulator_url = wait_for(self._said_address)
        made = self.run("tests.processes.fixtures:fill", self.simulator_url)
        self.integrations = made["integrations"]
        for row in made["links"]:
            self._links.setdefault(row["bank"], []).append(PlantedLink(**row))

    def _command(self, name: str) -> list[str]:
        """The command of a program, as deployed except for more detailed logs."""
        python, celery = [sys.executable], [sys.executable, "-m", "celery", "--app", "linkadmin"]
        alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        state = str(self.data / "simulator.json")
        return {
            "web": self._web(self.url),
            "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "4", *alone, "--loglevel", "debug"],
            "beat": [*celery, "beat", "--pidfile", "", "--loglevel", "debug"],
            "simulator": [*python, "manage.py", "simulator", "--port", "0", "--state", state, "--record"],
        }[name]

    def _web(self, url: str) -> list[str]:
        gunicorn = [sys.executable, "-m", "gunicorn", "linkadmin.wsgi", "--bind", url.removeprefix("http://")]
        workers = ["--workers", str(self._web_processes), "--worker-class", "gthread", "--threads", "8"]
        access = ["--access-logfile", "-", "--access-logformat", ACCESS]
        return [*gunicorn, *workers, "--no-control-socket", "--log-level", "debug", *access]

    def _spawn(self, name: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            # In its own session, one signal reaches it and all its children.
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._sessions.add(process.pid)
        return process

    def _answers(self, name: str, url: str) -> bool:
        assert self._running[name].poll() is None, self.log(name)[-3000:]
        with suppress(requests.RequestException):
            return requests.get(f"{url}/healthz/", timeout=2).ok
        return False

    def _said_address(self) -> str:
        said = re.search(r"^Simulator: (\S+)/$", self.log("simulator"), re.MULTILINE)
        return said[1] if said else ""


def _inherited() -> dict[str, str]:
    """Return our environment without variables that would configure the programs."""
    foreign = ("LINKADMIN_", "DJANGO_", "PYTEST_", "COVERAGE_", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _session_of(process: Path) -> int:
    """Return a process's session ID, 0 if it has ended. Its environment may not be readable."""
    with suppress(OSError):
        state, _parent, _group, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
        return int(session) if state != "Z" else 0
    return 0


def free_port() -> int:
    """None of those that systems give away: another test's server could get it first, and answer in our place."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def _remote_state() -> Mapping[str, Any]:
    """The simulated Belvo's initial data: links that last worked long ago."""
    links = [
        {"institution": bank, "id": str(uuid.uuid4()), "status": "invalid", "last_accessed_at": LONG_AGO}
        for bank in BANKS
        for _ in range(LINKS_PER_BANK)
    ]
    return {"version": 1, "belvo": {"links": links}}
