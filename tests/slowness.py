"""A provider that takes its time: it answers when a test says so, never by the clock."""

import threading

from linkadmin.simulator.state import World
from linkadmin.simulator.wire import ConnectionCut


class SlowProvider:
    """What takes a simulated provider time takes until `answers`, on an idle machine and a busy one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._may_answer = threading.Event()
        self.delays: list[float] = []  # seconds that each call so far was told to take
        world.wait = self._wait  # type: ignore[method-assign]

    def answers(self) -> None:
        """Let all calls that wait be answered, and all later ones at once."""
        self._may_answer.set()

    def _wait(self, delay: float) -> None:
        if delay:
            self.delays.append(delay)
            self._may_answer.wait()
            if self._world.stopping.is_set():
                raise ConnectionCut
