"""What happens by the clock, whether anybody calls or not."""

import threading

from .deferred import finish_due
from .renewal import renew
from .state import World

PAUSE = 0.2  # seconds


def beat(world: World) -> None:
    """Let everything have happened that was due by now."""
    renew(world)
    finish_due(world)
    with world.lock:
        world.settle()


class Pulse:
    """The small thread that lets things happen in time, so that webhooks leave though nobody asks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._thread = threading.Thread(target=self._run, name="simulator-pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait for the end. The world has to be stopping."""
        self._thread.join()

    def _run(self) -> None:
        while not self._world.stopping.wait(PAUSE):
            beat(self._world)
