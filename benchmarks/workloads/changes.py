"""W6: new credentials: our share of one round trip, and 200 of them in flight."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from benchmarks.engines import NotMeasured
from benchmarks.measure import take_turns, until
from benchmarks.programs import SETTINGS, Account, accounts, simulator
from benchmarks.results import Goal, Result
from benchmarks.run import F0, Run, compared, run_python
from benchmarks.servers import REDIRECT, Site, memory, web
from benchmarks.watch import Watcher

ROUNDS = 20  # each on a link of its own: a repaired one needs no credentials
FLOOR = "F0, PUT and 3 commits"
INTEGRATIONS, EACH, SECONDS = 25, 8, 20
IN_FLIGHT = INTEGRATIONS * EACH
PEOPLE = ("support", "colleague")  # one person may have half of an integration's slots
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
OPEN = "SELECT COUNT(*) FROM operations_operation WHERE state IN ('prepared', 'sending') AND integration_id IN ({})"
TOOK = "SELECT sent_at, finished_at FROM operations_operation WHERE integration_id IN ({}) AND state = 'succeeded'"

Job, Done = TypeVar("Job"), TypeVar("Done")


def measure(run: Run) -> list[Result]:
    return [*_share(run), *_in_flight(run)]


def _share(run: Run) -> list[Result]:
    with (
        simulator(run.rows, belvo_links=1000) as provider,
        accounts(run.rows, "belvo", provider.url, links=ROUNDS + 10) as (account,),
    ):
        links, remote = iter(account.links), account.remote_ids[-1]
        floor = FloorOfChange(run, f"127.0.0.1:{provider.port}", f"/api/links/{remote}/")
        timings = take_turns(
            {"ours": lambda: update(run.product, next(links), "pass_valid"), "floor": floor.once}, rounds=ROUNDS
        )
    return [compared("W6 new credentials", Goal(3, FLOOR), timings["ours"], timings["floor"])]


class FloorOfChange:
    """F0, and the bare PUT and commits in a process of their own, which has the driver and nothing else."""

    def __init__(self, run: Run, address: str, path: str) -> None:
        self._run, self._arguments = run, (address, path)

    def once(self) -> float:
        bare = run_python(self._run.rows.environment | SETTINGS, "benchmarks.bare_change", *self._arguments)
        return self._run.product.get(F0).seconds + float(bare)


def update(site: Site, link: str, password: str) -> float:
    """Post new credentials; return the seconds until the answer. Opening the form isn't counted."""
    return Form.of(site, link).post(site, password)


@dataclass(frozen=True, slots=True)
class Form:
    """An open form for new credentials of a link."""

    path: str
    role: str
    hidden: Mapping[str, str]

    @classmethod
    def of(cls, site: Site, link: str, role: str = "support") -> "Form":
        path = f"/links/{link}/credentials/"
        hidden = dict(HIDDEN.findall(site.get(path, role=role, Accept_Encoding="identity").body.decode()))
        if "operation_key" not in hidden:
            raise NotMeasured("the form for new credentials has no operation key")
        return cls(path, role, hidden)

    def post(self, site: Site, password: str) -> float:
        typed = {**self.hidden, "password": password, "password2": ""}
        return site.post(self.path, typed, role=self.role, to=(200, *REDIRECT)).seconds


def _in_flight(run: Run) -> list[Result]:
    with (
        simulator(run.rows, belvo_links=3000) as provider,
        accounts(run.rows, "belvo", provider.url, count=INTEGRATIONS, links=EACH) as ours,
        web(run.rows, sessions=run.product.sessions, workers=2, threads=16) as product,
    ):
        # This also warms up all threads of the product.
        forms = _side_by_side(product, _jobs(ours), lambda site, job: Form.of(site, *job))
        watcher, before = Watcher(product), memory(product.pid)
        _side_by_side(product, forms, lambda site, form: form.post(site, f"slow_{SECONDS}"))
        if (open_now := _open(run, ours)) < IN_FLIGHT:
            raise NotMeasured(f"only {open_now} of {IN_FLIGHT} calls were in flight at the same time")
        with watcher.watching():
            in_flight = memory(product.pid) - before
            until(lambda: _open(run, ours) == 0, seconds=SECONDS * 4, every=0.5)
        took = [_seconds(row) for row in run.rows.query(*_about(TOOK, run, ours))]
        if len(took) < IN_FLIGHT:
            raise NotMeasured(f"only {len(took)} of {IN_FLIGHT} changes succeeded")
        return [
            Result(f"W6 slowest of {IN_FLIGHT} in flight", Goal(1.03, f"{SECONDS} s"), max(took), SECONDS, "s"),
            Result(f"W6 memory of {IN_FLIGHT} in flight", Goal(40), in_flight, unit="MB"),
            watcher.result("W6 list meanwhile, p95", 1.25),
        ]


def _side_by_side(product: Site, jobs: Iterable[Job], do: Callable[[Site, Job], Done]) -> list[Done]:
    """Do all jobs, as 16 people with a connection each."""
    local = threading.local()

    def connected(job: Job) -> Done:
        if not hasattr(local, "site"):
            local.site = Site(product.port, product.sessions)
        return do(local.site, job)

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(connected, jobs))


def _jobs(ours: Sequence[Account]) -> Iterator[tuple[str, str]]:
    """Yield links in turn of their integrations, each with a person who may still use its slots."""
    for number, links in enumerate(zip(*(each.links for each in ours), strict=True)):
        yield from ((link, PEOPLE[number % 2]) for link in links)


def _open(run: Run, ours: Sequence[Account]) -> int:
    return int(run.rows.query(*_about(OPEN, run, ours))[0][0])


def _about(sql: str, run: Run, ours: Sequence[Account]) -> Iterator[Any]:
    return chain([sql.format(", ".join(["%s"] * len(ours)))], (run.rows.key(each.id) for each in ours))


def _seconds(row: tuple[Any, ...]) -> float:
    sent, finished = (datetime.fromisoformat(each) if isinstance(each, str) else each for each in row)
    return float((finished - sent).total_seconds())
