"""Processes of a run, and one keep-alive connection to each web server."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from .engines import Database, NotMeasured, free_port

START_SECONDS = 120
STOP_SECONDS = 40  # gunicorn's graceful timeout is 30
CSRF = "b" * 32
MB = 1024  # kB
REDIRECT = (302, 303)
PRODUCT = "benchmarks.floors.settings"  # the product's pages, and floors beside them


@dataclass(slots=True)
class Answer:
    seconds: float  # until the last byte
    first_byte: float  # of the headers
    body: bytes  # as sent
    headers: http.client.HTTPMessage


@dataclass(slots=True)
class Site:
    """A site as signed-in browsers see it. `sessions`: by role."""

    port: int
    sessions: Mapping[str, str]
    pid: int = 0  # of gunicorn
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, *, role: str = "manager", **headers: str) -> Answer:
        """Raises NotMeasured unless the answer is 200."""
        return self._send("GET", path, role, headers)

    def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        role: str = "manager",
        to: int | tuple[int, ...] = 200,
        **headers: str,
    ) -> Answer:
        return self._send("POST", path, role, headers, urlencode(form), (to,) if isinstance(to, int) else to)

    def _send(
        self,
        method: str,
        path: str,
        role: str,
        headers: Mapping[str, str],
        body: str | None = None,
        statuses: tuple[int, ...] = (200,),
    ) -> Answer:
        session = self.sessions[role]
        sent = {
            "Cookie": f"session={session}; sessionid={session}; csrf={CSRF}; csrftoken={CSRF}",
            "Accept-Encoding": "gzip",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if body is not None:
            sent |= {"X-CSRFToken": CSRF, "Content-Type": "application/x-www-form-urlencoded"}
        started = time.perf_counter()
        self._connection.request(method, path, body=body, headers=sent)
        response = self._connection.getresponse()
        first_byte = time.perf_counter() - started
        content = response.read()
        seconds = time.perf_counter() - started
        if response.status not in statuses:
            raise NotMeasured(f"{path.partition('?')[0]} answered {response.status}")
        return Answer(seconds, first_byte, content, response.headers)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def process(command: list[str], environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a Python program until the block ends. What it prints goes to servers.log beside the data set."""
    with (Path(environment["LINKADMIN_DATA"]).parent / "servers.log").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-W", "ignore", *command], env=dict(environment), stdout=log, stderr=log
        )
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


@contextmanager
def web(
    rows: Database,
    settings: str = PRODUCT,
    *,
    application: str = "",
    sessions: Mapping[str, str] | None = None,
    workers: int = 1,
    threads: int = 4,
    **variables: str,
) -> Iterator[Site]:
    """Serve an application with gunicorn, as docs/deploying.md does."""
    port = free_port()
    is_ours = settings in ("linkadmin.settings", PRODUCT)
    application = application or ("linkadmin.wsgi" if is_ours else "django.core.wsgi:get_wsgi_application()")
    command = ["-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    command += ["--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "600", "--log-level", "error"]
    command += ["--no-control-socket", *(["--preload"] if workers > 1 else [])]
    environment = rows.environment | {"DJANGO_SETTINGS_MODULE": settings, **variables}
    with process(command, environment) as server:
        _wait_for(server, port)
        with closing(Site(port, sessions or {}, server.pid)) as site:
            yield site


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)) as connection:
                connection.request("GET", "/livez/")
                connection.getresponse().read()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def memory(pid: int, name: str = "Pss") -> float:
    """MB of a process and its children, with shared pages divided (Pss) or counted in each (Rss)."""
    total = 0.0
    for each in [pid, *children(pid)]:
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{name}:"):
                total += int(line.split()[1]) / MB
    return total


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    return [*found, *(below for each in found for below in children(each))]
