"""Change states of links, and print the seconds. Afterwards, links and their counts are as before.

`counted WRITERS COUNT` and `uncounted WRITERS COUNT`: as the product does it, one by one, with and without its counts.
`ours COUNT` and `peers COUNT`: many at once in bare SQL, with our indexes and with those that Django makes.
"""

import logging
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from unittest.mock import patch

import django

django.setup()

from django.db import connection  # noqa: E402 - Django has to be set up first
from django.utils import timezone  # noqa: E402

from benchmarks.floors.raw import connect, execute  # noqa: E402
from linkadmin.links import health  # noqa: E402
from linkadmin.links.count_upkeep import fold  # noqa: E402
from linkadmin.links.models import HealthChange, Link  # noqa: E402
from linkadmin.providers.types import Cause, HealthState, Observation  # noqa: E402

UPDATES = {  # by table
    "links_link": "UPDATE links_link SET health = %s, health_since = %s, urgency = 60",
    "peers_link": "UPDATE peers_link SET health = %s, health_since = %s",
}


def one_by_one(way: str, writers: int, count: int) -> float:
    links = list(Link.objects.filter(health=HealthState.HEALTHY, verifying_since=None)[: writers * count])
    began = timezone.now()
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # its threads wouldn't survive the fork
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(writers)
    shares = [links[number::writers] for number in range(writers)]
    with ProcessPoolExecutor(writers, fork, _wait_with, (ready,)) as pool:
        seconds = max(pool.map(partial(_change, way), shares))
    HealthChange.objects.filter(link__in=[link.pk for link in links], at__gte=began).delete()
    fields = [field.name for field in Link._meta.concrete_fields if not field.primary_key]
    Link.objects.bulk_update(links, fields, batch_size=100)
    fold()  # pages that are measured next would read every move
    return seconds


def at_once(table: str, count: int) -> float:
    rows = connect(product=table == "links_link")
    try:
        execute(rows, "BEGIN")
        started = time.perf_counter()
        some = f" WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT {count})"  # noqa: S608
        execute(rows, UPDATES[table] + some, (HealthState.WAITING.value, timezone.now().isoformat(" ")))
        seconds = time.perf_counter() - started
        execute(rows, "ROLLBACK")
    finally:
        rows.close()
    return seconds


def _wait_with(ready: "multiprocessing.synchronize.Barrier") -> None:
    _wait_with.ready = ready  # type: ignore[attr-defined]


def _change(way: str, links: list[Link]) -> float:
    """Let each link fail and work again, so that the counts are the same afterwards."""
    connection.ensure_connection()
    _wait_with.ready.wait()  # type: ignore[attr-defined]
    started = time.perf_counter()
    counts: AbstractContextManager[object] = patch("linkadmin.links.counts.note")
    with counts if way == "uncounted" else nullcontext():
        for link in links:  # copies, as another process got them
            for cause in (Cause.BANK_DOWN, Cause.WORKING):
                health.observe(link, health.Report(Observation(cause), health.Source.LIST, timezone.now()))
    return time.perf_counter() - started


if __name__ == "__main__":
    logging.disable(logging.INFO)
    way, *numbers = sys.argv[1:]
    if way in ("counted", "uncounted"):
        print(one_by_one(way, *map(int, numbers)))
    else:
        print(at_once("links_link" if way == "ours" else "peers_link", *map(int, numbers)))
