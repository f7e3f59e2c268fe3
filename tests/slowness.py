"""A provider that answers when a test says so, never by the clock."""

import threading

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import ConnectionCut


class SlowProvider:
    """Slow calls to a simulated provider last until `answers`, on idle and busy machines alike."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._may_answer = threading.Event()
        self.delays: list[float] = []  # how many seconds each call so far would have taken
        store.wait = self._wait  # type: ignore[method-assign]

    def answers(self) -> None:
        """Let all waiting calls be answered, and all later ones at once."""
        self._may_answer.set()

    def _wait(self, delay: float) -> None:
        if delay:
            self.delays.append(delay)
            self._may_answer.wait()
            if self._store.stopping.is_set():
                raise ConnectionCut
