"""Migrated databases to copy, made once for all processes and runs: migrating takes longer than most test files."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".pytest_cache" / "migrated"
# What a migrated database follows from: our migrations with what they use, and the packages that have some.
SOURCES = (
    "linkadmin/*/migrations/*.py",
    "linkadmin/audit/*.py",
    "linkadmin/search/*.py",
    "linkadmin/fields.py",
    "linkadmin/paging.py",
    "requirements.txt",
)


def migrated_database() -> Path:
    """The SQLite file to copy."""
    file = FOLDER / f"{_digest()}.sqlite3"
    with _alone():
        if not file.exists():
            for outdated in FOLDER.glob("*.sqlite3"):
                outdated.unlink()
            with TemporaryDirectory(dir=FOLDER) as data:
                _migrate(data, "")
                (Path(data) / "linkadmin.sqlite3").rename(file)
    return file


def migrated_template(server: str) -> str:
    """The name of the database to copy on a PostgreSQL server, which is given as the URL of any of its databases."""
    name = f"linkadmin_migrated_{_digest()}"
    with _alone(), psycopg.connect(server, autocommit=True) as owner, TemporaryDirectory() as data:
        made = "SELECT datname FROM pg_database WHERE starts_with(datname, 'linkadmin_migrated_')"
        known = {row[0] for row in owner.execute(made)}
        if name not in known:
            for outdated in known:
                owner.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(outdated)))
            unfinished = f"linkadmin_migrated_{os.getpid()}"
            owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
            _migrate(data, urlsplit(server)._replace(path=f"/{unfinished}").geturl())
            names = map(sql.Identifier, (unfinished, name))
            owner.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
    return name


@contextmanager
def _alone() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(data: str, url: str) -> None:
    ours = {"DJANGO_SETTINGS_MODULE": "tests.settings", "LINKADMIN_DATA": data, "LINKADMIN_DATABASE_URL": url}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=os.environ | ours, check=True)


def _digest() -> str:
    files = sorted(file for pattern in SOURCES for file in ROOT.glob(pattern))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
