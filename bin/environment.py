"""Make the environment in .venv and install into it what a lock file pins. Needs nothing but Python and its venv.

    python3 bin/environment.py LOCK [FOLDER ...]

Every FOLDER is made, if need be, and must be writable. A lock file that has not changed is not installed again.
The syntax is that of older Pythons, so that those get as far as the sentence that refuses them.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)
PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENT = PROJECT / ".venv"
PYTHON = str(ENVIRONMENT / "bin" / "python")
UV = str(ENVIRONMENT / "bin" / "uv")
UV_LOCK = PROJECT / "requirements-uv.txt"  # its version, and the hashes that pip checks
TICK_SECONDS = 2  # between two lines while a step says nothing of its own
PIP_INSTALL = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def main(lock: Path, folders: "list[Path]") -> None:
    if sys.version_info < OLDEST:
        needed, found = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        sys.exit(f"Linkadmin needs Python {needed} or newer, this is {found}: name another one, PYTHON=python3.12 say.")
    for folder in folders:
        require_writable(folder, otherwise="set LINKADMIN_DATA to another folder")
    stamp = ENVIRONMENT / f"installed-{lock.stem}"
    wanted = hashlib.sha256(lock.read_bytes() + UV_LOCK.read_bytes()).hexdigest()
    if Path(PYTHON).exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    require_writable(PROJECT, otherwise="work in a copy of your own")
    make_environment()
    say(f"Installing the {pinned(lock)} packages of {lock.name}")
    started = time.monotonic()
    install(lock)
    say(f"Installed in {time.monotonic() - started:.0f} s")
    stamp.write_text(wanted)


def require_writable(folder: Path, *, otherwise: str) -> None:
    """Make the folder and try it out: permissions alone do not tell (read-only mounts, full disks, root)."""
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
        with tempfile.TemporaryFile(dir=str(folder)) as trial:
            trial.write(b"1")
    except OSError as error:
        sys.exit(f"Cannot write in {folder} ({error.strerror}): make it writable or {otherwise}.")


def make_environment() -> None:
    # pip comes last, so an environment without it was interrupted in the making.
    if Path(PYTHON).exists() and (ENVIRONMENT / "bin" / "pip").exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python lacks its venv module: on Debian and Ubuntu,  apt install python3-venv  brings it.")
    say("Making the environment in .venv (this once, about half a minute)")
    if run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]) != 0:
        sys.exit(f"{sys.executable} could not make the environment in {ENVIRONMENT}: see above.")


def install(lock: Path) -> None:
    """Install with uv, which is quick; with pip where uv cannot be had or does not know the way to the packages."""
    required = ["--require-hashes", "-r", str(lock)]
    has_uv = run([*PIP_INSTALL, "--no-deps", "--require-hashes", "-r", str(UV_LOCK)], quiet=True) == 0
    if has_uv and run([UV, "pip", "install", "--quiet", "--python", PYTHON, *required], quiet=True) == 0:
        return
    say("uv couldn't install them, so pip does (about a minute)")
    if run([*PIP_INSTALL, *required]) != 0:
        sys.exit(f"What {lock.name} names could not be installed: see above.")


def pinned(lock: Path) -> int:
    """Count the packages of a lock file."""
    return sum("==" in line and not line.startswith((" ", "#")) for line in lock.read_text().splitlines())


def installed() -> int:
    return sum(1 for _ in ENVIRONMENT.glob("lib/python*/site-packages/*.dist-info"))


def run(command: "list[str]", *, quiet: bool = False) -> int:
    """Run a program to its end. While it runs, say every few seconds how far it is."""
    output = subprocess.DEVNULL if quiet else None
    started = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as program:  # noqa: S603
        try:
            while True:
                try:
                    return program.wait(timeout=TICK_SECONDS)
                except subprocess.TimeoutExpired:
                    say(f"  still working after {time.monotonic() - started:.0f} s, {installed()} packages installed")
        except BaseException:
            program.kill()
            raise


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(str(PROJECT))
    try:
        main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
    except KeyboardInterrupt:
        sys.exit(130)
