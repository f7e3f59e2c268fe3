"""What every call meets before its provider answers: limits, latency, faults, and errors by chance."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .belvo import api as belvo
from .belvo import bodies as belvo_bodies
from .faults import Faults
from .heron import api as heron
from .heron import bodies as heron_bodies
from .limits import LimitCheck, Limits
from .outcomes import SERVER_ERROR, Effects, Refuse, play
from .settings import SimulatorSettings
from .store import Store
from .ticker import catch_up
from .wire import Handler, Reply, Request


@dataclass(frozen=True, slots=True)
class _Provider:
    respond: Handler
    refusal: Callable[[Refuse], Reply]


_BELVO = _Provider(belvo.respond, belvo_bodies.refusal)
_HERON = _Provider(heron.respond, heron_bodies.refusal)


class Gateway:
    """The way to both providers."""

    def __init__(self, store: Store, settings: SimulatorSettings) -> None:
        self.faults = Faults()
        self.store = store
        self._lock = threading.Lock()
        self.configure(settings)

    def configure(self, settings: SimulatorSettings) -> None:
        """Take another settings on. Counts and chances begin anew."""
        with self._lock:
            self.settings = settings
            self.limits = Limits(settings)
            self.store.deliveries.configure(settings)
            self._chances = random.Random(settings.error_seed)  # noqa: S311 - a run is to be repeatable

    def answer(self, request: Request) -> Reply:
        """Answer a call to either provider. Raises ConnectionCut."""
        catch_up(self.store)
        to_heron = request.path.startswith(heron.PREFIXES)
        check = self._check(request, to_heron)
        return check.mark(check.refusal or self._pass(request, _HERON if to_heron else _BELVO))

    def _check(self, request: Request, to_heron: bool) -> LimitCheck:
        count = self.limits.count_heron if to_heron else self.limits.count_belvo
        return count(request, self.store.clock())

    def _pass(self, request: Request, provider: _Provider) -> Reply:
        failing = self._fails_by_chance()
        self.store.wait(self.settings.latency / 1000)

        def act() -> Reply:
            return provider.respond(self.store, request)

        fault = self.faults.take(request)
        if fault:
            return play(fault.make(), self.store.wait, Effects(act, provider.refusal))
        return provider.refusal(SERVER_ERROR) if failing else act()

    def _fails_by_chance(self) -> bool:
        with self._lock:
            return self._chances.random() < self.settings.error_rate
