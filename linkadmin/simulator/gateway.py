"""What every call meets before its provider answers: limits, latency, faults, and errors by chance."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from . import belvo, belvo_bodies, heron, heron_bodies
from .conduct import Conduct
from .drill import SERVER_ERROR, Effects, Refuse, play
from .faults import Faults
from .limits import Limits, Standing
from .routes import Handler
from .state import World
from .ticker import catch_up
from .wire import Answer, Request


@dataclass(frozen=True, slots=True)
class _Provider:
    respond: Handler
    refusal: Callable[[Refuse], Answer]


_BELVO = _Provider(belvo.respond, belvo_bodies.refusal)
_HERON = _Provider(heron.respond, heron_bodies.refusal)


class Gateway:
    """The way to both providers."""

    def __init__(self, world: World, conduct: Conduct) -> None:
        self.faults = Faults()
        self.world = world
        self._lock = threading.Lock()
        self.behave(conduct)

    def behave(self, conduct: Conduct) -> None:
        """Take another conduct on. Counts and chances begin anew."""
        with self._lock:
            self.conduct = conduct
            self.limits = Limits(conduct)
            self.world.deliveries.behave(conduct)
            self._chances = random.Random(conduct.error_seed)  # noqa: S311 - a run is to be repeatable

    def answer(self, request: Request) -> Answer:
        """Answer a call to either provider. Raises ConnectionCut."""
        catch_up(self.world)
        to_heron = request.path.startswith(heron.PREFIXES)
        standing = self._standing(request, to_heron)
        return standing.mark(standing.refusal or self._pass(request, _HERON if to_heron else _BELVO))

    def _standing(self, request: Request, to_heron: bool) -> Standing:
        count = self.limits.count_heron if to_heron else self.limits.count_belvo
        return count(request, self.world.clock())

    def _pass(self, request: Request, provider: _Provider) -> Answer:
        failing = self._fails_by_chance()
        self.world.wait(self.conduct.latency / 1000)

        def act() -> Answer:
            return provider.respond(self.world, request)

        fault = self.faults.take(request)
        if fault:
            return play(fault.make(), self.world.wait, Effects(act, provider.refusal))
        return provider.refusal(SERVER_ERROR) if failing else act()

    def _fails_by_chance(self) -> bool:
        with self._lock:
            return self._chances.random() < self.conduct.error_rate
