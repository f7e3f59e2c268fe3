"""W4: full checks of a paged and of a per-customer provider, beside the limit, a loop and bulk_create."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from benchmarks.engines import NotMeasured
from benchmarks.measure import until
from benchmarks.programs import Account, accounts, simulator, worker
from benchmarks.results import Goal, Limit, Result
from benchmarks.run import Run
from benchmarks.servers import REDIRECT, memory

PAGE, IN_FLIGHT = 1000, 4  # links of a page, pages at once
LINKS = {"S": 10_000, "M": 50_000, "L": 100_000}
LATENCIES = (50, 100, 300)  # ms
CHANGED = 0.02
LOOPED = 2000  # links of the loop and of bulk_create, which are slow: their time is scaled
CUSTOMERS, CUSTOMERS_IN_FLIGHT = {"S": 640, "M": 2000, "L": 6400}, 64
QUOTA, QUOTA_SECONDS = 50, 60  # calls a second; of a window of a minute, as the simulated Heron has
WORKERS = 2  # processes that share the quota
MACHINE_SHARE = 0.9  # of a quota, while no person needs it
CHECK = (
    "SELECT state, started_at, finished_at, note FROM sync_fullcheck WHERE integration_id = %s ORDER BY started_at DESC"
)
LONGEST = 1200  # seconds


def measure(run: Run) -> list[Result]:
    return [*_paged(run), _per_customer(run), *_quota(run)]


def _paged(run: Run) -> list[Result]:
    links = LINKS[run.size.name]
    results = []
    with (
        simulator(run.rows, belvo_links=links) as provider,
        accounts(run.rows, "belvo", provider.url) as (account,),
        worker(run.rows) as pid,
    ):
        first = _full_check(run, account)
        before = memory(pid)
        results.append(Result("W4 first full check", Goal(28_000 / 2, limit=Limit.AT_LEAST), links / first, unit="/s"))
        for latency in LATENCIES:
            provider.control("/settings.json", {"latency": latency})
            provider.control("/drift.json", {"belvo": int(links * CHANGED), "seed": latency}, "POST")
            taken, least = _full_check(run, account), links / PAGE * latency / 1000 / IN_FLIGHT
            name = f"W4 full check, {latency} ms, 2 % changed"
            results.append(Result(name, Goal(1.4, "pages × latency / 4"), taken * 1000, least * 1000))
        grown = memory(pid) - before
        results.append(Result("W4 worker's growth over three full checks", Goal(10), grown, unit="MB"))
        provider.control("/settings.json", {"latency": 0})
        provider.control("/drift.json", {"belvo": int(links * CHANGED), "seed": 7}, "POST")
        ours = _full_check(run, account) / links
    return [*results, *_beside_peers(run, ours)]


def _beside_peers(run: Run, ours: float) -> list[Result]:
    """Compare the seconds of a link with what tutorials write, for the second time, when it only updates."""
    settings, auth = "benchmarks.peers.settings", ("sandbox-id", "sandbox-password")
    per_link = {}
    with simulator(run.rows, belvo_links=LOOPED) as provider:
        url = f"{provider.url}/api/links/?page_size={PAGE}"
        for way in ("loop", "bulk"):
            for _ in range(2):
                seconds = float(run.python("benchmarks.peers.sync", way, url, *auth, settings=settings))
            per_link[way] = seconds / LOOPED
    loop = Goal(run.either(sqlite=30, postgresql=60), "update_or_create", Limit.FASTER)
    bulk = Goal(15, "bulk_create", Limit.FASTER)
    return [
        Result("W4 a link", loop, ours * 1e6, per_link["loop"] * 1e6, "µs"),
        Result("W4 a link", bulk, ours * 1e6, per_link["bulk"] * 1e6, "µs"),
    ]


def _per_customer(run: Run) -> Result:
    customers, latency = CUSTOMERS[run.size.name], 100
    many = {"LINKADMIN_CALLS_AT_ONCE_PER_INTEGRATION": str(CUSTOMERS_IN_FLIGHT * 2)}
    with (
        simulator(run.rows, heron_links=int(customers / 0.7)) as provider,
        accounts(run.rows, "heron", provider.url) as (account,),
        worker(run.rows, **many),
    ):
        provider.control("/settings.json", {"latency": latency})
        taken, least = _full_check(run, account), customers * latency / 1000 / CUSTOMERS_IN_FLIGHT
    goal = Goal(1.15, f"calls × latency / {CUSTOMERS_IN_FLIGHT}")
    return Result(f"W4 one call per customer, {customers:,}", goal, taken * 1000, least * 1000)


def _quota(run: Run) -> list[Result]:
    """Two processes read as fast as the limiter lets them. A tenth of a limit is left to people."""
    name = f"W4 quota of {QUOTA} calls a second"
    many = {"LINKADMIN_CALLS_AT_ONCE_PER_INTEGRATION": "32"}
    with (
        simulator(run.rows, heron_links=10, **{"heron-limit": QUOTA * 60}) as provider,
        accounts(run.rows, "heron", provider.url) as (account,),
        ThreadPoolExecutor(WORKERS) as workers,
    ):
        arguments = ("benchmarks.background_reads", account.id, str(QUOTA_SECONDS))
        reads = [workers.submit(run.python, *arguments, **many) for _ in range(WORKERS)]
        answered = sum(int(each.result()) for each in reads)
        rejected = sum(provider.settings()["refused"].values())
    reached = Goal(0.97, "0.9 × quota", Limit.AT_LEAST)
    return [
        Result(name, reached, answered / QUOTA_SECONDS, MACHINE_SHARE * QUOTA, "/s"),
        Result(f"{name}: status 429", Goal(0.001, "calls"), rejected, answered + rejected, ""),
    ]


def _full_check(run: Run, account: Account) -> float:
    """Start a full check as a person does; return its seconds by its own clock."""
    run.product.post(f"/integrations/{account.id}/full-checks/", {}, role="administrator", to=REDIRECT)
    key = run.rows.key(account.id)
    until(lambda: run.rows.query(CHECK, key)[0][0] != "running", seconds=LONGEST, every=0.1)
    state, started, finished, note = run.rows.query(CHECK, key)[0]
    if state != "done":
        raise NotMeasured(f"a full check ended as {state}: {note}")
    return (_moment(finished) - _moment(started)).total_seconds()


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) else text
