"""Typed readers of environment variables. Each rejects invalid values and names the variable."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

LARGEST_IMAGE = 100 * 1024  # bytes
_IMAGES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    raw = text(name).lower()
    if raw in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return raw in {"1", "true", "yes", "on"} if raw else default
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {raw!r}")


def number(name: str, default: float) -> float:
    raw = text(name)
    try:
        return float(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {raw!r}") from None


def count(name: str, default: int) -> int:
    raw = text(name)
    if raw and not (raw.isascii() and raw.isdigit()):
        raise ImproperlyConfigured(f"{name} must be a whole number, 0 or more, not {raw!r}")
    return int(raw) if raw else default


def choice(name: str, *choices: str) -> str:
    """The first choice is the default."""
    raw = text(name, choices[0])
    if raw not in choices:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, not {raw!r}")
    return raw


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret(name: str, *, kept_in: Path | None = None) -> str:
    """Read NAME, the file in NAME_FILE, or `kept_in` if that exists; empty without any of them."""
    if value := text(name):
        return value
    named = text(f"{name}_FILE")
    path = Path(named) if named else kept_in
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not named:
            return ""
        raise ImproperlyConfigured(f"{name} can't be read from {path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Image:
    kind: str  # as in image/png
    content: bytes


def image(name: str) -> Image | None:
    """Read a PNG or JPEG file."""
    path = text(name)
    if not path:
        return None
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ImproperlyConfigured(f"{name} can't be read from {path}: {error.strerror}") from None
    kind = next((kind for start, kind in _IMAGES.items() if content.startswith(start)), "")
    if not kind or len(content) > LARGEST_IMAGE:
        raise ImproperlyConfigured(f"{name} must be a PNG or JPEG file of at most 100 KB: {path}")
    return Image(kind, content)


def mail_server(name: str) -> dict[str, Any]:
    """Read a mail server's URL: smtps://user:password@host:port, or smtp+tls:// (STARTTLS), or smtp:// without TLS.

    Return what Django's SMTP backend takes; nothing if there's none.
    """
    raw = secret(name)
    if not raw:
        return {}
    ports = {"smtps": 465, "smtp+tls": 587, "smtp": 25}
    try:
        url = urlsplit(raw)
        host, port = url.hostname, url.port or ports[url.scheme]
    except (ValueError, KeyError):
        host = None
    if not host:
        raise ImproperlyConfigured(f"{name} must be like smtps://user:password@host:465")
    return {
        "host": host,
        "port": port,
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "use_ssl": url.scheme == "smtps",
        "use_tls": url.scheme == "smtp+tls",
    }


# Lists read their first rows through indexes. Compiling such a statement takes longer than running it, parallel workers
# read far more than is shown, and by default PostgreSQL takes random reads to be as slow as on a spinning disk. It also
# expects that of a cursor only the first tenth is read, but exports read all.
POSTGRESQL = "-c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1 -c cursor_tuple_fraction=1"
# More cache, or the file mapped into memory, only helps reads that repeat: the system caches the file too. But each of
# a process's threads has its own cache, and what is mapped counts as memory of each process. See docs/performance.md.
SQLITE = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA cache_size=-2000",
    "PRAGMA mmap_size=0",
    "PRAGMA journal_size_limit=67108864",
)


def database(name: str, *, embedded: Path, wait_seconds: float) -> dict[str, Any]:
    """Read a database URL: postgresql://user:password@host:port/name, or empty for SQLite in `embedded`.

    `wait_seconds` limits the wait for a lock or a free connection.
    """
    url = urlsplit(secret(name))
    if not url.scheme:
        return {
            "ENGINE": "linkadmin.sqlite",
            "NAME": embedded,
            "CONN_MAX_AGE": 60,  # opening one takes longer than most requests
            "OPTIONS": {
                # Writers queue for the lock instead of failing when a read turns into a write.
                "transaction_mode": "IMMEDIATE",
                "timeout": wait_seconds,
                "init_command": "; ".join(SQLITE),
            },
        }
    if url.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(f"{name} must start with postgresql://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "CONN_HEALTH_CHECKS": True,  # a restarted server leaves dead connections in the pool
        "OPTIONS": {
            "pool": {"min_size": 2, "max_size": 40, "timeout": min(wait_seconds, 10)},
            "options": f"-c lock_timeout={round(wait_seconds * 1000)} {POSTGRESQL}",
        },
    }
