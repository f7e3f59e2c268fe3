"""Faults on request: the next calls to a path get an answer of our choosing, whatever they ask for."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .fault_answers import ANSWERS, Fault
from .wire import Request

ANY_METHOD = "*"
MOST_TIMES = 1_000_000
_GLOB = set("*?[")


@dataclass(slots=True)
class Order:
    """A fault that waits for its calls. The path is a beginning, or a pattern where it has `*`, `?` or `[`."""

    method: str
    path: str
    times: int
    answer: str

    def fits(self, request: Request) -> bool:
        path = self.path if _GLOB & set(self.path) else f"{self.path}*"
        return self.method in (ANY_METHOD, request.method) and fnmatchcase(request.path, path)


class Faults:
    """The faults that wait, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def add(self, method: str, path: str, answer: str, times: int = 1) -> None:
        """Let the next calls that fit get this answer. Raises ValueError for an answer that nobody knows."""
        if answer not in ANSWERS:
            raise ValueError(f"unknown answer {answer!r}; the first page lists them all")
        if not 1 <= times <= MOST_TIMES:
            raise ValueError(f"times must be a number from 1 to {MOST_TIMES}")
        with self._lock:
            self._orders.append(Order(method.upper(), path, times, answer))

    def order(self, wish: Mapping[str, Any]) -> None:
        """Add a fault as it was posted. Raises ValueError."""
        given = {"method": ANY_METHOD, "path": "/api/", "times": 1, **wish}
        if given.keys() != {"method", "path", "times", "answer"}:
            raise ValueError("a fault has an answer, and may have method, path and times")
        times = given.pop("times")
        if isinstance(times, bool) or not isinstance(times, int) or not all(isinstance(v, str) for v in given.values()):
            raise ValueError("method, path and answer are texts, times is a number")
        self.add(times=times, **given)

    def take(self, request: Request) -> Fault | None:
        """Return the fault that this call gets, and count it."""
        with self._lock:
            order = next((order for order in self._orders if order.fits(request)), None)
            if not order:
                return None
            order.times -= 1
            if not order.times:
                self._orders.remove(order)
            return ANSWERS[order.answer]

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that wait, as they would be posted."""
        with self._lock:
            return [
                {"method": order.method, "path": order.path, "times": order.times, "answer": order.answer}
                for order in self._orders
            ]
