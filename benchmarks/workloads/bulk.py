"""W7: checking the status of many links as a bulk job, beside the limit, with progress, a stop and pages meanwhile."""

import re
import time

from benchmarks.engines import NotMeasured
from benchmarks.measure import until
from benchmarks.programs import Account, accounts, simulator, worker
from benchmarks.results import Goal, Result
from benchmarks.run import Run
from benchmarks.servers import REDIRECT
from benchmarks.watch import Watcher

LINKS = {"S": 1000, "M": 5000, "L": 10_000}
LATENCY, IN_FLIGHT = 0.1, 64  # seconds, calls
JOB = re.compile(r"/bulk/([0-9a-f-]{36})/")
STATE = "SELECT state FROM bulk_bulkjob WHERE id = %s"
DONE = "SELECT COUNT(*) FROM bulk_bulkpart WHERE job_id = %s AND done_at IS NOT NULL"
LONGEST = 600


def measure(run: Run) -> list[Result]:
    count = LINKS[run.size.name]
    least = count * LATENCY / IN_FLIGHT
    many = {"LINKADMIN_CALLS_AT_ONCE_PER_INTEGRATION": str(IN_FLIGHT * 2)}  # one person may use half of them
    with (
        simulator(run.rows, heron_links=count) as provider,
        accounts(run.rows, "heron", provider.url) as (account,),
        worker(run.rows, **many),
    ):
        _learn_links(run, account)
        provider.control("/settings.json", {"latency": int(LATENCY * 1000)})
        watcher = Watcher(run.product)
        with watcher.watching():
            started = time.perf_counter()
            job = _start(run, account)
            until(lambda: run.rows.query(STATE, run.rows.key(job))[0][0] == "done", seconds=LONGEST)
            taken = time.perf_counter() - started
        return [
            Result(f"W7 check {count:,} links", Goal(1.2, "links × latency / 64"), taken, least, "s"),
            watcher.result("W7 list meanwhile, p95", 1.3),
            _stopped(run, account),
        ]


def _stopped(run: Run, account: Account) -> Result:
    """Pause another job: how long until its last call has ended."""
    job = _start(run, account)
    key = run.rows.key(job)
    until(lambda: run.rows.query(DONE, key)[0][0] > 0, seconds=60)
    run.product.post(f"/bulk/{job}/", {"move": "stop"}, to=REDIRECT)
    paused = last = time.perf_counter()
    done = run.rows.query(DONE, key)
    while time.perf_counter() - paused < 3:
        time.sleep(0.05)
        if (now := run.rows.query(DONE, key)) != done:
            done, last = now, time.perf_counter()
    return Result("W7 pause to last result", Goal(1), last - paused, unit="s")


def _learn_links(run: Run, account: Account) -> None:
    """The first full check adds the simulator's links."""
    run.product.post(f"/integrations/{account.id}/full-checks/", {}, role="administrator", to=REDIRECT)
    running = "SELECT COUNT(*) FROM sync_fullcheck WHERE integration_id = %s AND state = 'running'"
    until(lambda: run.rows.query(running, run.rows.key(account.id))[0][0] == 0, seconds=LONGEST, every=0.2)


def _start(run: Run, account: Account) -> str:
    """Review and start a job as a person does: for all links of the integration."""
    chosen = {"integration": account.id, "all": "1"}
    review = run.product.post("/bulk/refresh/", chosen, to=REDIRECT)
    found = JOB.search(review.headers.get("Location", ""))
    if found is None:
        raise NotMeasured("no job was drafted")
    run.product.post(f"/bulk/{found[1]}/", {"move": "begin"}, to=REDIRECT)
    return found[1]
