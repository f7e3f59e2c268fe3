"""Each provider's rate limits, and the most requests it received within one window."""

import math
import re
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from .belvo.guide import BLOCKED, THROTTLED
from .heron import api as heron
from .heron.bodies import envelope_of
from .settings import BELVO_WINDOW, SimulatorSettings
from .wire import Reply, Request, find

MINUTE = 60  # seconds
PLAIN_DELETES = "belvo plain deletes"


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """The result of a rate limit check: the rejection, if any, and the headers for every response."""

    refusal: Reply | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def mark(self, answer: Reply) -> Reply:
        spent = {"x-ratelimit-remaining": "0"} if self.headers and answer.status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return replace(answer, headers={**answer.headers, **self.headers, **spent})


class Limits:
    """Counts the requests of each scope, rejected ones included."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._moments: dict[str, deque[float]] = {}  # scope: times of the requests in the window
        self._peak: dict[str, int] = {}
        self._refused: Counter[str] = Counter()

    def counts(self) -> dict[str, dict[str, int]]:
        """By scope: most requests in one window (`peak`, with rejected ones), and number of rejections (`refused`)."""
        with self._lock:
            return {"peak": dict(self._peak), "refused": dict(self._refused)}

    def count_heron(self, request: Request, now: float) -> LimitCheck:
        """Count a request in its endpoint's current minute."""
        limit = self._settings.heron_limit
        minute = int(now) // MINUTE * MINUTE
        scope = f"heron {_endpoint(request)}"
        used = self._calls_after(math.nextafter(minute, 0), scope, now)  # including the first moment of the minute
        if not limit:
            return LimitCheck()
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - used)),
            "x-ratelimit-reset": str(minute + MINUTE),
        }
        if used <= limit:
            return LimitCheck(None, headers)
        return LimitCheck(self._refuse(scope, envelope_of(429, f"{limit} per 1 minute")), headers)

    def count_belvo(self, request: Request, now: float) -> LimitCheck:
        """Count a Belvo request in its address's last 30 seconds, and a plain delete in the last minute."""
        scope = f"belvo calls from {request.address}"
        calls = self._calls_after(now - BELVO_WINDOW, scope, now)
        if 0 < self._settings.belvo_limit < calls:
            return LimitCheck(self._refuse(scope, BLOCKED))
        if request.method != "DELETE" or request.headers.get("x-belvo-request-mode") == "async":
            return LimitCheck()
        deletes = self._calls_after(now - MINUTE, PLAIN_DELETES, now)
        return LimitCheck(
            self._refuse(PLAIN_DELETES, THROTTLED) if 0 < self._settings.belvo_deletes < deletes else None
        )

    def _refuse(self, scope: str, answer: Reply) -> Reply:
        with self._lock:
            self._refused[scope] += 1
        return answer

    def _calls_after(self, start: float, scope: str, now: float) -> int:
        """Count a request now, and return how many its scope had since `start`."""
        with self._lock:
            moments = self._moments.setdefault(scope, deque())
            while moments and moments[0] <= start:
                moments.popleft()
            moments.append(now)
            self._peak[scope] = max(len(moments), self._peak.get(scope, 0))
            return len(moments)


def _endpoint(request: Request) -> str:
    # Such as `GET /api/end_users/{user}`.
    found = find(heron.ROUTES, request)
    return f"{request.method} " + (re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", found[0].pattern) if found else "elsewhere")
