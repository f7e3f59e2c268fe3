"""What `make run` runs: web, worker, beat and the provider simulator together, with demo data, until Ctrl-C.

It doesn't load Django, so that a warm start loads it only once, in the web process.
"""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from linkadmin.hardening import no_core_dumps

from .preparation import BELVO_WEBHOOK, PLAID_WEBHOOK, PROJECT, TICK_SECONDS, prepare, say, start_over
from .processes import run_together

HOST = "127.0.0.1"  # people open it as localhost: browsers offer no passkeys for an IP address
WELCOME = """
Linkadmin is ready:  http://localhost:{port}/
  Sign in as         support, manager, auditor, admin or admin2; the password is linkadmin-demo
  Simulator guide    http://localhost:{simulator_port}/  (test values for every outcome)
Try first, as support:
  1. New link, Heron sandbox: any customer ID and name, any access token, any new item ID.
  2. Links, Acme Corp (first in the list): Update credentials, any password. The bank asks for a code.
  3. Enter a wrong code, then 111111. The link shows "Working" once a status check confirms the repair.
Ctrl-C stops everything. `make run` keeps the data; `make run RESET=1` starts over.
"""


def main() -> int:
    parser = ArgumentParser(prog="python -m linkadmin.demo")
    parser.add_argument("--reset", action="store_true", help="delete the demo's data first, but keep its keys")
    reset = parser.parse_args().reset
    port, simulator_port = _port("PORT", "8000"), _port("SIMULATOR_PORT", "8800")
    if port == simulator_port:
        sys.exit(f"PORT and SIMULATOR_PORT are both {port}. Choose two different ports.")
    os.chdir(PROJECT)
    os.umask(0o077)
    no_core_dumps()
    data = Path(os.environ.get("LINKADMIN_DATA") or "var").resolve()
    os.environ |= {
        "LINKADMIN_DEMO": "1",
        "LINKADMIN_DATA": str(data),
        "LINKADMIN_DEMO_URL": f"http://{HOST}:{port}",
        "LINKADMIN_SIMULATOR_URL": f"http://{HOST}:{simulator_port}",
    }
    with _alone(data):
        for asked in (signal.SIGINT, signal.SIGTERM):  # during preparation; the programs are stopped in another way
            signal.signal(asked, lambda *_: sys.exit(130))
        if reset:
            start_over(data)
        try:
            prepare(data)
        except subprocess.CalledProcessError as error:
            sys.exit(f"The demo couldn't be prepared: {error.cmd[2]} failed, see above.")
        return run_together(
            _commands(port, simulator_port, data),
            when_started=lambda: _welcome(port, simulator_port),
            env=_environment(),
        )


def _port(name: str, default: str) -> int:
    text = os.environ.get(name) or default
    if not text.isdecimal() or not 0 < int(text) < 65536:
        sys.exit(f"{name} must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as error:
            other = int(text) + 10 if int(text) < 65000 else default
            sys.exit(
                f"Port {text} isn't available ({error.strerror}). Choose another, such as make run {name}={other}."
            )
    return int(text)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"Another make run is using {data}. Stop it, or set LINKADMIN_DATA to another folder.")
        yield


def _commands(port: int, simulator_port: int, data: Path) -> dict[str, list[str]]:
    module = [sys.executable, "-m"]
    # The web process starts first: starting all at once on two cores takes twice as long.
    later = ["sh", "-c", 'sleep 2; exec "$@"', "later"]
    gunicorn = [*module, "gunicorn", "linkadmin.wsgi", "--bind", f"{HOST}:{port}", "--no-control-socket"]
    # Two web processes as in a deployment, forked from one that has loaded everything: loading twice
    # doubles a warm start.
    workers = ["--workers", "2", "--preload", "--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "3"]
    celery = [*later, *module, "celery", "--quiet", "--app", "linkadmin"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    simulator = [sys.executable, "manage.py", "simulator", "--port", str(simulator_port)]
    return {
        "web": [*gunicorn, *workers, "--log-level", "warning"],
        "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "4", *alone, "--loglevel", "warning"],
        "beat": [*celery, "beat", "--pidfile", "", "--loglevel", "warning"],
        "simulator": [
            *simulator,
            "--state",
            str(data / "simulator.json"),
            "--belvo-webhook",
            str(data / BELVO_WEBHOOK),
            "--plaid-webhook",
            str(data / PLAID_WEBHOOK),
        ],
    }


def _environment() -> dict[str, str]:
    # Root runs a demo only in a container, where Celery's warning is noise.
    return os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}


def _welcome(port: int, simulator_port: int) -> None:
    started = said = time.monotonic()
    while not _healthy(port):
        time.sleep(0.1)
        if time.monotonic() - said > TICK_SECONDS:
            said = time.monotonic()
            say(f"  starting web processes, {said - started:.0f} s")
    sys.stdout.write(WELCOME.format(port=port, simulator_port=simulator_port))
    sys.stdout.flush()


def _healthy(port: int) -> bool:
    web = http.client.HTTPConnection(HOST, port, timeout=2)
    with suppress(OSError, http.client.HTTPException):
        web.request("GET", "/healthz/")
        return web.getresponse().status == http.HTTPStatus.OK
    return False


if __name__ == "__main__":
    sys.exit(main())
