"""Databases of our own for a run, on loopback: SQLite in a file, or a PostgreSQL server in a folder."""

import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ENGINES = ("sqlite", "postgresql")


class NotMeasured(Exception):
    """Something that a measurement needs isn't on this machine; says what."""


# Of people: a measurement sees, exports and sends more.
LIMITS = (
    "LINKADMIN_CUSTOMERS_OPENED_PER_HOUR",
    "LINKADMIN_CUSTOMERS_LISTED_PER_HOUR",
    "LINKADMIN_EXPORTS_PER_DAY",
    "LINKADMIN_EXPORT_ROWS",
    "LINKADMIN_CREDENTIALS_PER_HOUR",
)


@dataclass(frozen=True, slots=True)
class Database:
    engine: str
    folder: Path
    url: str = ""  # empty: SQLite in the folder

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that uses it: none of the shell's, which may name a database with real data."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("LINKADMIN_")}
        return others | {
            "LINKADMIN_DATA": str(self.folder / "data"),
            "LINKADMIN_DATABASE_URL": self.url,
            "LINKADMIN_DEMO": "1",
            "LINKADMIN_LOG_LEVEL": "ERROR",
            "LINKADMIN_SESSION_IDLE_SECONDS": "86400",
            **dict.fromkeys(LIMITS, "0"),
        }

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read from the product's tables, from outside the product. Placeholders are %s."""
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self.folder / "data" / "linkadmin.sqlite3", timeout=60)) as lite:
                return lite.execute(sql.replace("%s", "?"), values).fetchall()
        with psycopg.connect(self.url) as server:
            return server.execute(sql, values).fetchall()

    def key(self, pk: str) -> str:
        """An ID as the database spells it."""
        return pk.replace("-", "") if self.engine == "sqlite" else pk


@contextmanager
def database(engine: str, folder: Path) -> Iterator[Database]:
    """Run a database whose files stay in the folder. Raises NotMeasured if PostgreSQL isn't installed."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    if engine == "sqlite":
        yield Database(engine, folder)
        return
    files, port = folder / "postgresql", free_port()
    as_owner, server = _as_owner(folder), [_program("pg_ctl"), "-w", "-D", str(files)]
    if not files.exists():
        as_owner([_program("initdb"), "-D", str(files), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale", "C"])
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=1GB"
    try:
        as_owner([*server, "-l", str(folder / "postgresql.log"), "-o", options, "start"])
        yield Database(engine, folder, f"postgresql://bench@127.0.0.1:{port}/postgres")
    finally:
        as_owner([*server, "-m", "fast", "stop"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program(name: str) -> str:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else "")
    if not found:
        raise NotMeasured(f"needs PostgreSQL's {name}")
    return found


def _as_owner(folder: Path) -> Callable[[list[str]], None]:
    """Return a function that runs a command as a user that PostgreSQL accepts: it doesn't run as root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]

    def run(command: list[str]) -> None:
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL)

    return run
