"""What every call meets before its provider answers: limits, latency, faults, and errors by chance."""

import random
import threading
from collections.abc import Callable
from functools import partial

from .belvo import api as belvo
from .belvo import bodies as belvo_bodies
from .faults import Faults
from .heron import api as heron
from .heron import bodies as heron_bodies
from .limits import Limits
from .outcomes import SERVER_ERROR, Effects, Refuse, play
from .settings import SimulatorSettings
from .store import Store
from .ticker import catch_up
from .wire import Reply, Request

Respond = Callable[[Store, Request], Reply]
Provider = tuple[Respond, Callable[[Refuse], Reply]]  # how it answers, and how it refuses
BELVO: Provider = belvo.respond, belvo_bodies.refusal
HERON: Provider = heron.respond, heron_bodies.refusal


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
        count = self.limits.count_heron if to_heron else self.limits.count_belvo
        check = count(request, self.store.clock())
        return check.mark(check.refusal or self._pass(request, *(HERON if to_heron else BELVO)))

    def _pass(self, request: Request, respond: Respond, refuse: Callable[[Refuse], Reply]) -> Reply:
        with self._lock:
            fails_by_chance = self._chances.random() < self.settings.error_rate
        self.store.wait(self.settings.latency / 1000)
        effects = Effects(partial(respond, self.store, request), refuse)
        try:
            if fault := self.faults.take(request):
                return play(fault.make(), self.store.wait, effects)
            return refuse(SERVER_ERROR) if fails_by_chance else effects.act()
        finally:
            if request.method != "GET":
                self.store.save()
