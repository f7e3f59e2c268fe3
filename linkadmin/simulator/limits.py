"""How many calls each provider bears, and the largest number of calls that it saw at once."""

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
    """How a call stands with the limits: the refusal it gets, and what every answer to it says."""

    refusal: Reply | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def mark(self, answer: Reply) -> Reply:
        """Add the headers to an answer; a provider that says 429 leaves nothing over."""
        spent = {"x-ratelimit-remaining": "0"} if self.headers and answer.status == HTTPStatus.TOO_MANY_REQUESTS else {}
        return replace(answer, headers={**answer.headers, **self.headers, **spent})


class Limits:
    """Counts the calls of each scope. A call that was refused counts as well."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._moments: dict[str, deque[float]] = {}  # scope: moments of the calls that still count
        self._peak: dict[str, int] = {}
        self._refused: Counter[str] = Counter()

    def counts(self) -> dict[str, dict[str, int]]:
        """The largest number of calls in one window (`peak`), and how many were refused (`refused`), by scope."""
        with self._lock:
            return {"peak": dict(self._peak), "refused": dict(self._refused)}

    def count_heron(self, request: Request, now: float) -> LimitCheck:
        """Count a call to Heron in the minute of its endpoint."""
        limit = self._settings.heron_limit
        minute = int(now) // MINUTE * MINUTE
        scope = f"heron {_endpoint(request)}"
        used = self._calls_after(math.nextafter(minute, 0), scope, now)  # the minute's first moment is in it
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
        """Count a call to Belvo in the last 30 seconds of its address, and a plain delete in the last minute."""
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
        """Note a call now, and count those of its scope since then."""
        with self._lock:
            moments = self._moments.setdefault(scope, deque())
            while moments and moments[0] <= start:
                moments.popleft()
            moments.append(now)
            self._peak[scope] = max(len(moments), self._peak.get(scope, 0))
            return len(moments)


def _endpoint(request: Request) -> str:
    """Name the endpoint of a call, such as `GET /api/end_users/{user}`."""
    found = find(heron.ROUTES, request)
    return f"{request.method} " + (re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", found[0].pattern) if found else "elsewhere")
