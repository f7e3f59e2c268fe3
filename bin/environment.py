"""Create the environment in .venv and install the packages of a lock file. Needs only Python with its venv module.

    python3 bin/environment.py LOCK [FOLDER ...]

Every FOLDER is created if missing, and must be writable. An unchanged lock file isn't installed again.
The syntax works on older Pythons, so that they get to the message about their version.
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
UV_LOCK = PROJECT / "requirements-uv.txt"  # uv's version, and the hashes that pip checks
TICK_SECONDS = 2  # between two lines while a step prints nothing
PIP_INSTALL = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def main(lock: Path, folders: "list[Path]") -> None:
    if sys.version_info < OLDEST:
        needed, found = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        sys.exit(
            f"Linkadmin needs Python {needed} or newer, and this is {found}. "
            "Choose another, such as make run PYTHON=python3.12."
        )
    for folder in folders:
        require_writable(folder, otherwise="set LINKADMIN_DATA to another folder")
    stamp = ENVIRONMENT / f"installed-{lock.stem}"
    wanted = hashlib.sha256(lock.read_bytes() + UV_LOCK.read_bytes()).hexdigest()
    if Path(PYTHON).exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    require_writable(PROJECT, otherwise="work in a copy you own")
    create_environment()
    say(f"Installing {pinned(lock)} packages from {lock.name}")
    started = time.monotonic()
    install(lock)
    say(f"Installed in {time.monotonic() - started:.0f} s")
    stamp.write_text(wanted)


def require_writable(folder: Path, *, otherwise: str) -> None:
    """Create the folder and test it: permissions alone don't show read-only mounts, full disks and root."""
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
        with tempfile.TemporaryFile(dir=str(folder)) as trial:
            trial.write(b"1")
    except OSError as error:
        sys.exit(f"Can't write to {folder} ({error.strerror}). Make it writable, or {otherwise}.")


def create_environment() -> None:
    # pip comes last, so without it the creation was interrupted.
    if Path(PYTHON).exists() and (ENVIRONMENT / "bin" / "pip").exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python has no venv module. On Debian and Ubuntu, run apt install python3-venv first.")
    say("Creating the environment in .venv (only once, about half a minute)")
    if run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]) != 0:
        sys.exit(f"{sys.executable} couldn't create the environment in {ENVIRONMENT}. See above.")


def install(lock: Path) -> None:
    """Install with uv, which is fast, or with pip if uv isn't available or can't reach the packages."""
    required = ["--require-hashes", "-r", str(lock)]
    has_uv = run([*PIP_INSTALL, "--no-deps", "--require-hashes", "-r", str(UV_LOCK)], quiet=True) == 0
    if has_uv and run([UV, "pip", "install", "--quiet", "--python", PYTHON, *required], quiet=True) == 0:
        return
    say("uv couldn't install them. Using pip instead (about a minute)")
    if run([*PIP_INSTALL, *required]) != 0:
        sys.exit(f"The packages of {lock.name} couldn't be installed. See above.")


def pinned(lock: Path) -> int:
    return sum("==" in line and not line.startswith((" ", "#")) for line in lock.read_text().splitlines())


def installed() -> int:
    return sum(1 for _ in ENVIRONMENT.glob("lib/python*/site-packages/*.dist-info"))


def run(command: "list[str]", *, quiet: bool = False) -> int:
    """Run a program until it ends, and print progress every few seconds."""
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
