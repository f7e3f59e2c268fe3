"""How fast a page is while something else runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from .engines import NotMeasured
from .measure import timing
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
        self._why = ""  # it ended before the work did

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

    def result(self, name: str, limit: float) -> Result:
        """Compare the slow pages of the busy time with those of the idle time."""
        goal = Goal(limit, "idle p95")
        if self._why:
            return Result(name, goal, why=self._why)
        return Result(name, goal, timing(self._busy).p95 * 1000, self.idle.p95 * 1000)

    def _watch(self, done: threading.Event) -> None:
        try:
            self._busy.append(self._once())
            while not done.wait(PAUSE):
                self._busy.append(self._once())
        except (NotMeasured, OSError, HTTPException) as error:
            self._why = str(error) or type(error).__name__

    def _once(self) -> float:
        return self._site.get(self._path).seconds
