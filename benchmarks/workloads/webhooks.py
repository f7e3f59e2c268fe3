"""W5: accepting webhooks, beside a bare WSGI site and a Django view, and processing them."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from benchmarks.engines import NotMeasured
from benchmarks.load import LINK, MARK
from benchmarks.measure import percentile, until
from benchmarks.programs import Account, accounts, simulator, worker
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Run
from benchmarks.servers import Site, children, web

CONNECTIONS, SECONDS, ROUNDS = 16, 2, 5  # as fast as possible
STEADY_RATE = 100  # per second
STEADY_SECONDS = {"S": 10, "M": 20, "L": 60}
BURST = {"S": 1000, "M": 5000, "L": 5000}
BURST_SECONDS = 60
KILLED_AFTER = 1.0  # seconds
BODY = json.dumps(
    {"webhook_id": MARK, "webhook_type": "LINK", "webhook_code": "token_required", "link_id": LINK, "request_id": MARK}
)
NOT_DONE = "SELECT COUNT(*) FROM webhooks_webhookdelivery WHERE integration_id = %s AND state <> 'done'"
STORED = "SELECT request_id FROM webhooks_webhookdelivery WHERE integration_id = %s"
TIMES = (
    "SELECT received_at, processed_at FROM webhooks_webhookdelivery"
    " WHERE integration_id = %s AND processed_at IS NOT NULL ORDER BY id"
)


def measure(run: Run) -> list[Result]:
    links = max(STEADY_RATE * STEADY_SECONDS[run.size.name], BURST[run.size.name])
    with (
        simulator(run.rows, belvo_links=links * 4) as provider,
        accounts(run.rows, "belvo", provider.url, links=links) as (account,),
        web(run.rows, workers=2, threads=8) as product,
    ):
        with (
            web(run.rows, application="benchmarks.floors.webhook:site()", workers=2, threads=8) as floor,
            web(run.rows, "benchmarks.peers.settings", workers=2, threads=8) as peer,
        ):
            results = _acceptance(account, product, floor, peer)
        with worker(run.rows):
            results += [*_steady(run, account, product), *_burst(run, account, product)]
        return [*results, _killed(run, account)]


def _acceptance(account: Account, product: Site, floor: Site, peer: Site) -> list[Result]:
    sites = {"ours": (product, account.webhook_path), "floor": (floor, "/"), "peer": (peer, "/webhook/")}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sites}
    for _ in range(ROUNDS):
        for name, (site, path) in sites.items():
            found[name].append(_load(account, site, path, seconds=SECONDS))
    ours, floor_rate, peer_rate = (statistics.median(each["rate"] for each in found[name]) for name in sites)
    p50, p99 = (statistics.median(each[name] * 1000 for each in found["ours"]) for name in ("p50", "p99"))
    return [
        Result("W5 acceptance", Goal(0.75, "bare WSGI", Limit.AT_LEAST), ours, floor_rate, "/s"),
        Result("W5 acceptance", Goal(1.6, "Django view", Limit.AT_LEAST), ours, peer_rate, "/s"),
        Result("W5 acceptance, p99", Goal(6, "p50"), p99, p50),
    ]


def _steady(run: Run, account: Account, product: Site) -> list[Result]:
    seconds = STEADY_SECONDS[run.size.name]
    _drained(run, account, seconds=600)  # of the loads before
    before = len(run.rows.query(TIMES, run.rows.key(account.id)))
    _load(account, product, account.webhook_path, seconds=seconds, rate=STEADY_RATE)
    _drained(run, account, seconds=600)
    waits = sorted(_between(*row) for row in run.rows.query(TIMES, run.rows.key(account.id))[before:])
    p95 = percentile(waits, 0.95) * 1000
    return [Result(f"W5 visible at {STEADY_RATE}/s, p95", Goal(500), p95)]


def _burst(run: Run, account: Account, product: Site) -> list[Result]:
    count, started = BURST[run.size.name], time.perf_counter()
    _load(account, product, account.webhook_path, count=count)
    _drained(run, account, seconds=600)
    goal = Goal(BURST_SECONDS * count / 5000)
    return [Result(f"W5 burst of {count:,}, drained", goal, time.perf_counter() - started, unit="s")]


def _killed(run: Run, account: Account) -> Result:
    """Kill the web processes while they take deliveries in: what they acknowledged has to be there."""
    with web(run.rows, workers=2, threads=8) as product, ThreadPoolExecutor() as beside:
        load = beside.submit(_load, account, product, account.webhook_path, seconds=KILLED_AFTER * 2)
        time.sleep(KILLED_AFTER)
        for pid in children(product.pid):
            os.kill(pid, signal.SIGKILL)
        acknowledged = set(load.result()["marks"])
    stored = {row[0] for row in run.rows.query(STORED, run.rows.key(account.id))}
    if not acknowledged:
        raise NotMeasured("nothing was acknowledged before the kill")
    return Result("W5 kill -9, acknowledged and lost", Goal(0), len(acknowledged - stored), unit="deliveries")


def _drained(run: Run, account: Account, *, seconds: float) -> float:
    return until(lambda: run.rows.query(NOT_DONE, run.rows.key(account.id))[0][0] == 0, seconds=seconds, every=0.1)


def _load(account: Account, site: Site, path: str, **how: float) -> dict[str, Any]:
    headers = {"Authorization": account.webhook_authorization, "Content-Type": "application/json"}
    load = {"port": site.port, "path": path, "body": BODY, "headers": headers, "connections": CONNECTIONS}
    asked = json.dumps(load | {"links": account.remote_ids} | how)
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    if said["refused"]:
        raise NotMeasured(f"{path[:10]} refused {said['refused']} deliveries")
    return said


def _between(received: Any, processed: Any) -> float:
    if isinstance(received, str):
        received, processed = datetime.fromisoformat(received), datetime.fromisoformat(processed)
    return float((processed - received).total_seconds())
