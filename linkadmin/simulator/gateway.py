"""What every request passes before its provider answers: rate limits, latency, faults, and random errors."""

import random
import threading
from functools import partial

from .belvo import api as belvo
from .belvo import bodies as belvo_bodies
from .faults import Faults
from .heron import api as heron
from .heron import bodies as heron_bodies
from .limits import LimitCheck, Limits
from .outcomes import SERVER_ERROR, OutcomeHandlers, play
from .plaid import api as plaid
from .settings import SimulatorSettings
from .store import Store
from .ticker import catch_up
from .wire import Reply, Request


class Gateway:
    def __init__(self, store: Store, settings: SimulatorSettings) -> None:
        self.faults = Faults()
        self.store = store
        self._lock = threading.Lock()
        self.configure(settings)

    def configure(self, settings: SimulatorSettings) -> None:
        """Counts and randomness start over."""
        with self._lock:
            self.settings = settings
            self.limits = Limits(settings)
            self.store.deliveries.configure(settings)
            self._chances = random.Random(settings.error_seed)  # noqa: S311 - runs have to be repeatable

    def answer(self, request: Request) -> Reply:
        """Raises ConnectionCut."""
        catch_up(self.store)
        if request.path.startswith(heron.PREFIXES):
            check = self.limits.count_heron(request, self.store.clock())
            handlers = OutcomeHandlers(partial(heron.respond, self.store, request), heron_bodies.refusal)
        elif request.path.startswith(plaid.PREFIXES):
            check = LimitCheck()
            handlers = OutcomeHandlers(partial(plaid.respond, self.store, request), plaid.refusal)
        else:
            check = self.limits.count_belvo(request, self.store.clock())
            handlers = OutcomeHandlers(partial(belvo.respond, self.store, request), belvo_bodies.refusal)
        return check.mark(check.refusal or self._pass(request, handlers))

    def _pass(self, request: Request, handlers: OutcomeHandlers) -> Reply:
        with self._lock:
            fails_by_chance = self._chances.random() < self.settings.error_rate
        self.store.wait(self.settings.latency / 1000)
        try:
            if fault := self.faults.take(request):
                return play(fault.make(), self.store.wait, handlers)
            return handlers.refuse(SERVER_ERROR) if fails_by_chance else handlers.act()
        finally:
            if request.method != "GET":
                self.store.save()
