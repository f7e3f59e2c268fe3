"""A provider that takes its time: it answers when a test says so, never by the clock."""

import threading

from linkadmin.simulator.store import Store
from linkadmin.simulator.wire import ConnectionCut


class SlowProvider:
    """What takes a simulated provider time takes until `answers`, on an idle machine and a busy one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._may_answer = threading.Event()
        self.delays: list[float] = []  # seconds that each call so far was told to take
        store.wait = self._wait  # type: ignore[method-assign]

    def answers(self) -> None:
        """Let all calls that wait be answered, and all later ones at once."""
        self._may_answer.set()

    def _wait(self, delay: float) -> None:
        if delay:
            self.delays.append(delay)
            self._may_answer.wait()
            if self._store.stopping.is_set():
                raise ConnectionCut
