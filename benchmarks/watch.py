"""How fast a page is while something else runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .engines import NotMeasured
from .measure import Timing, timing
from .results import Goal, Result
from .servers import Site

PAUSE = 0.05  # seconds between two pages
IDLE_ROUNDS = 40


class Watcher:
    """Opens a page again and again, over a connection of its own."""

    def __init__(self, site: Site, path: str = "/links/") -> None:
        self._site, self._path = Site(site.port, site.sessions, site.pid), path
        self.idle = timing([self._once() for _ in range(IDLE_ROUNDS)])
        self._busy: list[float] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._busy.clear()
        done = threading.Event()
        thread = threading.Thread(target=self._watch, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @property
    def busy(self) -> Timing:
        if not self._busy:
            raise NotMeasured("no page was opened meanwhile")
        return timing(self._busy)

    def result(self, name: str, limit: float) -> Result:
        """Compare the slow pages of the busy time with those of the idle time."""
        return Result(name, Goal(limit, "idle p95"), self.busy.p95 * 1000, self.idle.p95 * 1000)

    def _watch(self, done: threading.Event) -> None:
        while not done.is_set():
            self._busy.append(self._once())
            time.sleep(PAUSE)

    def _once(self) -> float:
        return self._site.get(self._path).seconds
