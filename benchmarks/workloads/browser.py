"""W8: the list of links in Chromium: bytes as sent, requests, nodes, paints. Start and memory of web processes."""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.engines import NotMeasured
from benchmarks.measure import take_turns, timing
from benchmarks.results import Goal, Result
from benchmarks.run import ADMIN, Run, compared
from benchmarks.servers import PRODUCT, Site, children, memory, web

from .links import LIST, PART

KB = 1024
CPU_SLOWED, ROUNDS = 4, 5
SESSION_COOKIES = {"manager": "session", "peer": "sessionid"}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
NODES = "document.querySelectorAll('*').length"
CLICK = """async () => {
    const drawn = new Promise(done => document.body.addEventListener('htmx:afterSettle', done, {once: true}));
    const started = performance.now();
    document.querySelector('#results a[hx-get]').click();
    await drawn;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - started;
}"""


@dataclass
class Transfer:
    """What a page load fetched over the network: bytes as sent, headers included, by kind."""

    bytes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    requests: int = 0
    _kinds: dict[str, str] = field(default_factory=dict)

    def listen(self, session: Any) -> None:
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _received(self, event: dict[str, Any]) -> None:
        if not event["response"].get("fromDiskCache"):
            self._kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        if (kind := self._kinds.get(event["requestId"])) and event["encodedDataLength"]:
            self.bytes[kind] += event["encodedDataLength"]
            self.requests += 1

    @property
    def kilobytes(self) -> float:
        return sum(self.bytes.values()) / KB


def measure(run: Run) -> list[Result]:
    part = Result("W8 part", Goal(8), len(run.product.get(LIST, **PART).body) / KB, unit="KB")
    return [part, *_in_chromium(run), *_start(run), *_memory(run)]


def _in_chromium(run: Run) -> list[Result]:
    try:
        return _pages(run)
    except NotMeasured as why:
        return [Result("W8 in Chromium", Goal(45), unit="KB", why=str(why))]


def _pages(run: Run) -> list[Result]:
    cold, warm = Transfer(), Transfer()
    with _tab(run.product, "manager") as page:
        cold.listen(page.context.new_cdp_session(page))
        page.goto(run.product.url + LIST, wait_until="networkidle")
        nodes = page.evaluate(NODES)
        warm.listen(page.context.new_cdp_session(page))
        page.goto(run.product.url + LIST, wait_until="networkidle")
    ours, admin = [], []
    for _ in range(ROUNDS):
        ours.append(_first_paint(run.product, "manager", LIST))
        admin.append(_first_paint(run.peer, "peer", ADMIN))
    clicked = timing([_click(run) for _ in range(ROUNDS)])
    return [
        Result("W8 empty cache", Goal(45), cold.kilobytes, unit="KB"),
        Result("W8 requests", Goal(6), cold.requests, unit=""),
        Result("W8 warm cache", Goal(10), warm.kilobytes, unit="KB"),
        Result("W8 scripts", Goal(20), cold.bytes["Script"] / KB, unit="KB"),
        Result("W8 styles", Goal(8), cold.bytes["Stylesheet"] / KB, unit="KB"),
        Result("W8 nodes", Goal(2500), nodes, unit=""),
        Result(f"W8 first paint, CPU / {CPU_SLOWED}", Goal(0.4, "admin"), timing(ours).p50, timing(admin).p50),
        Result(f"W8 filter click to painted, CPU / {CPU_SLOWED}", Goal(100), clicked.p50, p95=clicked.p95),
    ]


def _first_paint(site: Site, role: str, path: str) -> float:
    with _tab(site, role) as page:
        _slow_down(page)
        page.goto(site.url + path, wait_until="load")
        page.wait_for_function(f"{PAINT} > 0")
        return float(page.evaluate(PAINT))


def _click(run: Run) -> float:
    with _tab(run.product, "manager") as page:
        _slow_down(page)
        page.goto(run.product.url + LIST, wait_until="networkidle")
        page.wait_for_function("window.htmx !== undefined")
        return float(page.evaluate(CLICK))


def _slow_down(page: Any) -> None:
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWED})


@contextmanager
def _tab(site: Site, role: str) -> Iterator[Any]:
    """A signed-in tab of a new browser, with nothing in its cache."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise NotMeasured("no Chromium on the path")
    from playwright.sync_api import sync_playwright  # only this workload needs it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies([{"name": SESSION_COOKIES[role], "value": site.sessions[role], "url": site.url}])
        try:
            yield context.new_page()
        finally:
            browser.close()


def _start(run: Run) -> list[Result]:
    found = take_turns(
        {
            "ours": lambda: _first_page(run, "linkadmin.settings", "/accounts/login/"),
            "bare": lambda: _first_page(run, "benchmarks.floors.bare", "/admin/login/"),
        },
        rounds=ROUNDS,
        warm_ups=0,
    )
    return [compared("W8 start to first page", Goal(1.5, "bare Django"), found["ours"], found["bare"])]


def _first_page(run: Run, settings: str, path: str) -> float:
    started = time.perf_counter()
    with web(run.rows, settings, sessions={"manager": ""}, workers=2, threads=8) as site:
        site.get(path)
        return time.perf_counter() - started


def _memory(run: Run) -> list[Result]:
    """Memory of one of two web processes that were forked after loading, and have drawn some pages."""
    with web(run.rows, PRODUCT, sessions=run.product.sessions, workers=2, threads=8) as site:
        for path in (LIST, "/", f"/links/{run.samples['link']}/") * 5:
            site.get(path)
        workers = children(site.pid)
        rss, pss = (max(memory(pid, name) for pid in workers) for name in ("Rss", "Pss"))
    return [
        Result("W8 memory of a web process, RSS", Goal(75), rss, unit="MB"),
        Result("W8 memory of a web process, PSS", Goal(45), pss, unit="MB"),
    ]
