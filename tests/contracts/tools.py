"""Third-party programs for contract tests: found on the path, or installed once into their own cache."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

HOST = "127.0.0.1"
PRISM_VERSION = "5.14.2"  # the newest for Node 20
BELVO_PYTHON_VERSION = "0.39.1"
INSTALL_SECONDS = 300
START_SECONDS = 40


def prism_program() -> Path:
    """Return Prism's path. Skips the test if it can't be installed."""
    if found := shutil.which("prism"):
        return Path(found)
    # Without scripts: one of its packages reports installations to a third party.
    install = ["npm", "install", "--prefix", ".", "--ignore-scripts", "--no-audit", "--no-fund"]
    folder = _installed(f"prism-{PRISM_VERSION}", [*install, f"@stoplight/prism-cli@{PRISM_VERSION}"])
    return folder / "node_modules" / ".bin" / "prism"


def python_with_belvo() -> Path:
    """Return a Python that has belvo-python and nothing of ours. Skips the test if it can't be installed."""
    python = Path("bin") / "python"
    folder = _installed(
        f"belvo-python-{BELVO_PYTHON_VERSION}",
        [sys.executable, "-m", "venv", "."],
        [str(python), "-m", "pip", "install", "--quiet", f"belvo-python=={BELVO_PYTHON_VERSION}"],
    )
    return folder / python


def _installed(name: str, *commands: list[str]) -> Path:
    """Run the commands in a folder and return it. Only the first time; later calls use the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linkadmin-tests"
    folder = cache / name
    cache.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        with TemporaryDirectory(dir=cache) as scratch:
            draft = Path(scratch) / name
            draft.mkdir()
            for command in commands:
                _run(command, draft)
            with suppress(OSError):  # a parallel run was faster
                draft.rename(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"cannot install {command[-1]}: {error}")
    if done.returncode != 0:
        pytest.skip(f"cannot install {command[-1]}: {done.stderr.strip()[-300:]}")


@contextmanager
def prism(program: Path, log: Path, command: str, *arguments: str) -> Iterator[str]:
    """Run Prism; yield its URL. Kills all its processes at the end."""
    port = _free_port()
    line = [str(program), command, "-v", "error", "-h", HOST, "-p", str(port), *arguments]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            _wait_until_it_listens(process, port, log)
            yield f"http://{HOST}:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it has nothing to save


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"Prism does not listen: {log.read_text()[-500:]}")
