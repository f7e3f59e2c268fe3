"""PostgreSQL and Redis for one stack: a database of its own, and numbers of Redis that nobody else uses."""

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

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
LAST = 15 - 4 * WORKER  # number of Redis, of the 16 there are: tests that run side by side share none
_free = [(LAST - 3, LAST - 2), (LAST - 1, LAST)]  # for cache and broker of a stack; two stacks of a worker may overlap


@contextmanager
def borrowed() -> Iterator[dict[str, str]]:
    """Yield the environment that makes a stack use the servers our own environment names; leave no trace on them."""
    with database() as url, _redis() as (cache, broker):
        yield {"LINKADMIN_DATABASE_URL": url, "LINKADMIN_REDIS_URL": cache, "LINKADMIN_BROKER_URL": broker}


@contextmanager
def database() -> Iterator[str]:
    given = urlsplit(environment.secret("LINKADMIN_DATABASE_URL"))
    name = f"linkadmin_{secrets.token_hex(4)}"
    with psycopg.connect(given.geturl(), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield given._replace(path=f"/{name}").geturl()
        finally:
            _drop(owner, name)


def _drop(owner: "psycopg.Connection[Any]", name: str) -> None:
    """Drop a database, once the server's own cleaning, which only its owner may end, is through with it."""
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
