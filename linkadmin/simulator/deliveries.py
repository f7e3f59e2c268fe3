"""Outgoing webhooks: a queue in memory, documented retries, and the outcome of each delivery.

Only URLs on this machine are called. Nothing waits for the receiver: one thread sends, and a few more help while it
can't keep up. Order follows the events, except for retries, helper threads and the shuffle setting.
"""

import heapq
import itertools
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from .settings import DEFAULTS, SimulatorSettings

HERE = {"127.0.0.1", "::1", "localhost"}
TIMEOUT = 5.0  # seconds for each wait for the receiver
LENGTH = 10_000  # deliveries in the log
THREADS = 4
LATE = 1.0  # seconds that a delivery is overdue before another thread helps
PATIENCE = 1.0  # seconds that running attempts get on shutdown
OURS = {"content-length", "content-type", "host", "transfer-encoding"}  # headers that subscriptions can't set


class DeliveryOutcome(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"
    NOT_HERE = "not sent: the URL is not on this machine"


@dataclass(slots=True)
class Delivery:
    """One webhook to one receiver. `status` is that of the last response, None without one."""

    provider: str
    topic: str
    about: str  # ID of the link or end user
    url: str
    made_at: str
    headers: Mapping[str, str]
    body: bytes
    pauses: tuple[int, ...]  # seconds before each further attempt
    attempts: int = 0
    status: int | None = None
    outcome: DeliveryOutcome = DeliveryOutcome.WAITING


class Deliveries:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Delivery]] = []  # heap: due (monotonic), sequence, delivery
        self._places = itertools.count()
        self._running = 0
        self._stopped = False
        self._threads: list[threading.Thread] = []
        self._log: deque[Delivery] = deque(maxlen=LENGTH)
        self._ended: Counter[DeliveryOutcome] = Counter()
        self.configure(DEFAULTS)

    def configure(self, settings: SimulatorSettings) -> None:
        with self._changed:
            self._settings = settings
            self._chances = random.Random(settings.error_seed)  # noqa: S311 - runs have to be repeatable

    def add(self, draft: Delivery) -> None:
        with self._changed:
            for _ in range(self._settings.webhook_copies):
                self._plan(replace(draft))
            self._help()
            self._changed.notify_all()

    def all(self) -> list[Delivery]:
        with self._changed:
            return [replace(each) for each in self._log]

    def counts(self) -> dict[str, int]:
        """Deliveries by outcome, including those no longer in the log."""
        with self._changed:
            counts = {**self._ended, DeliveryOutcome.WAITING: len(self._queue) + self._running}
            return {str(outcome): counts.get(outcome, 0) for outcome in DeliveryOutcome}

    def wait_until_sent(self, within: float) -> bool:
        """Wait up to `within` seconds until no delivery is waiting; return whether that happened."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._running, within)

    def stop(self) -> None:
        """Stop; waiting deliveries are lost."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        end = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _plan(self, delivery: Delivery) -> None:
        self._log.append(delivery)
        if not _is_here(delivery.url):
            self._end(delivery, DeliveryOutcome.NOT_HERE)
            return
        mixed = self._chances.random() if self._settings.webhook_shuffle else 0.0
        self._wait(delivery, self._settings.webhook_delay + mixed)

    def _wait(self, delivery: Delivery, pause: float) -> None:
        heapq.heappush(self._queue, (time.monotonic() + pause, next(self._places), delivery))

    def _end(self, delivery: Delivery, outcome: DeliveryOutcome) -> None:
        delivery.outcome = outcome
        self._ended[outcome] += 1

    def _help(self) -> None:
        """Start the first thread, or another one while deliveries are overdue."""
        overdue = self._queue and self._queue[0][0] < time.monotonic() - LATE
        if self._stopped or not self._queue or len(self._threads) >= THREADS or (self._threads and not overdue):
            return
        self._threads.append(threading.Thread(target=self._send_all, name="simulator-webhooks", daemon=True))
        self._threads[-1].start()

    def _send_all(self) -> None:
        while delivery := self._next():
            status = _post(delivery)
            with self._changed:
                self._note(delivery, status)
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for the next due delivery; None when stopped."""
        with self._changed:
            while not self._stopped:
                pause = self._queue[0][0] - time.monotonic() if self._queue else None
                if pause is not None and pause <= 0:
                    self._running += 1
                    delivery = heapq.heappop(self._queue)[-1]
                    self._help()
                    return delivery
                self._changed.wait(pause)
            return None

    def _note(self, delivery: Delivery, status: int | None) -> None:
        delivery.attempts += 1
        delivery.status = status
        if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            self._end(delivery, DeliveryOutcome.DELIVERED)
        elif delivery.attempts > len(delivery.pauses):
            self._end(delivery, DeliveryOutcome.GIVEN_UP)
        else:
            self._wait(delivery, delivery.pauses[delivery.attempts - 1] * self._settings.webhook_pace)


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in HERE and parts.port != 0
    except ValueError:
        return False


def _post(delivery: Delivery) -> int | None:
    """Return the response's status, None without one. Redirects aren't followed."""
    url = urlsplit(delivery.url)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {name: text for name, text in delivery.headers.items() if name.lower() not in OURS}
    connection = HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT)
    try:
        connection.request("POST", target, delivery.body, {**headers, "Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, HTTPException, ValueError):  # ValueError: a header that can't be sent
        return None
    finally:
        connection.close()
