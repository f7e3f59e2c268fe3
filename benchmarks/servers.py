"""Web processes of a run, and one keep-alive connection to each."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from .engines import Database, free_port

START_SECONDS = 60


@dataclass(slots=True)
class Site:
    """A site as one signed-in browser sees it."""

    cookie: str
    connection: http.client.HTTPConnection

    def get(self, path: str, **headers: str) -> tuple[float, http.client.HTTPResponse, bytes]:
        """Return the seconds until the last byte, the response and its body as sent. Raises RuntimeError unless 200."""
        started = time.perf_counter()
        self.connection.request("GET", path, headers={"Cookie": self.cookie, "Accept-Encoding": "gzip", **headers})
        response = self.connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - started
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {response.status}")
        return seconds, response, body


@contextmanager
def site(database: Database, settings: str, *, session: str) -> Iterator[Site]:
    """Serve a Django project on the database with one process."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "django.core.wsgi:get_wsgi_application()",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    command += ["--worker-class", "gthread", "--threads", "4", "--keep-alive", "600", "--log-level", "error"]
    environment = database.environment | {"DJANGO_SETTINGS_MODULE": settings}
    process = subprocess.Popen(command, env=environment)
    try:
        _wait_for(process, port)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=600)) as connection:
            yield Site(f"session={session}; sessionid={session}", connection)
    finally:
        process.terminate()
        process.wait()  # gunicorn stops within its graceful timeout, 30 seconds


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)) as connection:
                connection.request("GET", "/")
                connection.getresponse().read()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
