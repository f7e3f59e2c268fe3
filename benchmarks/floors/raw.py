"""Connections of the bare drivers, with the durability that the product has."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import psycopg

PEERS_SCHEMA = "peers"  # PostgreSQL: beside the product's tables; SQLite: a file beside the product's


def connect(*, product: bool = False, synchronous: str = "NORMAL") -> Any:
    """Connect to the peers' database, or to the product's. Every statement commits unless it follows a BEGIN."""
    if url := os.environ.get("LINKADMIN_DATABASE_URL"):
        schema = "public" if product else PEERS_SCHEMA
        return psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}")
    connection = sqlite3.connect(sqlite_file(product=product), isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


def sqlite_file(*, product: bool = False) -> Path:
    return Path(os.environ["LINKADMIN_DATA"]) / ("linkadmin.sqlite3" if product else "peers.sqlite3")


def is_sqlite(connection: Any) -> bool:
    return isinstance(connection, sqlite3.Connection)


def execute(connection: Any, sql: str, values: tuple[Any, ...] = ()) -> Any:
    """Run a statement written with %s, which sqlite3 spells as a question mark."""
    return connection.execute(sql.replace("%s", "?") if is_sqlite(connection) else sql, values)
