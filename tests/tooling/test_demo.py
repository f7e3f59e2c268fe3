"""`python -m linkadmin.demo`, which `make run` calls: its startup errors, and complete runs of the real programs."""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkadmin.demo.__main__ import WELCOME
from linkadmin.demo.casting import FIRST_REPAIR
from tests.processes.stack import free_port

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).resolve().parents[2]
Demo = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_ports() -> list[int]:
    return [free_port(), free_port()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def demo(data: Path, free_ports: list[int]) -> Iterator[Demo]:
    """Start the demo with its own data folder, on free ports by default."""
    started: list[subprocess.Popen[str]] = []
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LINKADMIN_", "DJANGO_"))}
    own = {"LINKADMIN_DATA": str(data), "LINKADMIN_LOG_LEVEL": "WARNING"}

    def start(*options: str, port: int | str = free_ports[0], simulator: int = free_ports[1]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "linkadmin.demo", *options],
            cwd=PROJECT,
            env=inherited | own | {"PORT": str(port), "SIMULATOR_PORT": str(simulator)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        end(process)


def end(process: subprocess.Popen[str]) -> str:
    """Send Ctrl-C if it still runs, and return its output."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=600)[0] if process.stdout and not process.stdout.closed else ""


def refusal(process: subprocess.Popen[str]) -> str:
    """Return the one-sentence error it exits with."""
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 1
    assert len(said.splitlines()) == 1, said
    return said


def wait_until_healthy(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        web = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        try:
            web.request("GET", "/healthz/")
            assert web.getresponse().status == 200
            return
        except OSError:
            time.sleep(0.1)
        finally:
            web.close()
    pytest.fail(f"not ready, status {process.poll()}")


def wait_for_line(process: subprocess.Popen[str], start: str) -> str:
    """Read output up to the line that starts with this."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.startswith(start):
            return said
    pytest.fail(said)


def test_a_taken_port_is_reported_with_an_alternative(demo: Demo, taken_port: int) -> None:
    said = refusal(demo(port=taken_port))

    assert said.startswith(f"Port {taken_port} isn't available (Address already in use)")
    assert "make run PORT=" in said


def test_a_taken_port_of_the_simulator_is_reported_by_its_own_name(demo: Demo, taken_port: int) -> None:
    assert "make run SIMULATOR_PORT=" in refusal(demo(simulator=taken_port))


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1"])
def test_an_invalid_port_is_rejected(demo: Demo, port: str) -> None:
    assert refusal(demo(port=port)).startswith("PORT must be a number from 1 to 65535")


def test_one_port_for_both_is_rejected(demo: Demo, free_ports: list[int]) -> None:
    assert "Choose two different ports" in refusal(demo(simulator=free_ports[0]))


def test_a_second_run_on_the_same_data_is_rejected(demo: Demo, data: Path) -> None:
    data.mkdir()
    with (data / "run.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)

        assert refusal(demo()).startswith("Another make run is using")


@pytest.mark.processes
def test_a_run_prints_how_to_sign_in_and_leaves_nothing_running(demo: Demo, data: Path, free_ports: list[int]) -> None:
    process = demo()
    wait_until_healthy(process, free_ports[0])
    said = wait_for_line(process, "Ctrl-C")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout

    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(timeout=600) == 0
    assert all(f"http://localhost:{port}/" in said for port in free_ports)
    assert "support, manager, auditor, admin or admin2" in said
    assert [path.name for path in data.iterdir() if path.stat().st_mode & 0o077] == []
    assert f"manage.py simulator --port {free_ports[1]}" in listed
    assert (data / "belvo_webhook").read_text().split("/")[-2] not in listed
    for port in free_ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_the_welcome_names_the_link_that_is_first_in_the_list() -> None:
    assert FIRST_REPAIR in WELCOME
