"""PostgreSQL and Redis for one stack: a new database, and Redis databases that no other stack uses."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from redis import Redis

from linkadmin import environment
from tests.migrated import migrated_template

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
LAST = 15 - 4 * WORKER  # Redis has 16 databases: parallel test workers share none
_free = [(LAST - 3, LAST - 2), (LAST - 1, LAST)]  # (cache, broker) of a stack; a worker may run two stacks at once


@contextmanager
def borrowed() -> Iterator[dict[str, str]]:
    """Yield environment variables for a stack on the configured servers. Removes all its data afterwards."""
    with database() as url, _redis() as (cache, broker):
        yield {"LINKADMIN_DATABASE_URL": url, "LINKADMIN_REDIS_URL": cache, "LINKADMIN_BROKER_URL": broker}


@contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a new database with all migrations, which is dropped afterwards."""
    given = urlsplit(environment.secret("LINKADMIN_DATABASE_URL"))
    name = f"linkadmin_{secrets.token_hex(4)}"
    names = map(sql.Identifier, (name, migrated_template(given.geturl())))
    with psycopg.connect(given.geturl(), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        try:
            yield given._replace(path=f"/{name}").geturl()
        finally:
            _drop(owner, name)


def _drop(owner: "psycopg.Connection[Any]", name: str) -> None:
    """Drop a database. Retry while autovacuum is busy, because only a superuser can stop it."""
    while True:
        try:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            return
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(0.5)


@contextmanager
def _redis() -> Iterator[tuple[str, str]]:
    given = urlsplit(environment.secret("LINKADMIN_REDIS_URL"))
    numbers = _free.pop()
    cache, broker = (given._replace(path=f"/{number}").geturl() for number in numbers)
    with Redis.from_url(cache) as one, Redis.from_url(broker) as other:
        assert not one.dbsize(), "this number of Redis is somebody's"
        assert not other.dbsize(), "this number of Redis is somebody's"
        try:
            yield cache, broker
        finally:
            one.flushdb()
            other.flushdb()
            _free.append(numbers)
