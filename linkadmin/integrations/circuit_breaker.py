"""When an integration's circuit breaker opens, and how one probe call closes it again.

Rules on one row, locked by the caller; nothing here saves.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.moments import LONGEST_CALL, LONGEST_PAUSE
from linkadmin.providers.http.admission import Denial, HealthSignal

from .denials import PAUSED
from .models import CircuitBreaker

GOOD, FAILED = ".", "x"
SEEN = 20  # last calls remembered; opens if half of them failed
IN_A_ROW, OF_LAST = "in_a_row", "of_last"


def denial_of(breaker: CircuitBreaker, *, now: datetime) -> Denial | None:
    """None lets the next call through as the probe."""
    if breaker.open_until is None:
        return None
    if now < breaker.open_until <= now + LONGEST_PAUSE:  # a later time comes from a clock that was ahead
        return Denial(PAUSED, breaker.open_until, why(breaker))
    if breaker.probe_until is not None and now < breaker.probe_until <= now + LONGEST_CALL:
        return Denial(PAUSED, why=_("we're waiting for one request to show whether the provider is responding again"))
    return None


def why(breaker: CircuitBreaker) -> str:
    if breaker.open_reason == OF_LAST:
        failed = breaker.recent.count(FAILED)
        return _("%(failed)d of the last %(seen)d requests failed") % {"failed": failed, "seen": len(breaker.recent)}
    return ngettext("%(count)d request failed", "%(count)d requests failed in a row", breaker.failures) % {
        "count": breaker.failures
    }


def record(breaker: CircuitBreaker, signal: HealthSignal, *, is_probe: bool, now: datetime) -> None:
    if breaker.open_until is not None and not is_probe:
        return  # it started before the breaker opened, so it says nothing about now
    if is_probe:
        breaker.probe_until = None
    if signal is HealthSignal.NOTHING:
        return
    breaker.recent = (breaker.recent + (FAILED if signal is HealthSignal.FAILS else GOOD))[-SEEN:]
    if signal is HealthSignal.FAILS:
        _fail(breaker, now)
        return
    breaker.failures = 0
    if breaker.open_until is not None:
        breaker.open_until, breaker.open_reason, breaker.recent = None, "", ""


def with_only_good_calls() -> "QuerySet[CircuitBreaker]":
    """Those that another success doesn't change."""
    return CircuitBreaker.objects.filter(open_until=None, failures=0, recent=GOOD * SEEN)


def _fail(breaker: CircuitBreaker, now: datetime) -> None:
    breaker.failures = min(breaker.failures + 1, 9_999)
    if breaker.failures >= settings.BREAKER_FAILURES_IN_A_ROW:
        breaker.open_reason = IN_A_ROW
    elif len(breaker.recent) == SEEN and breaker.recent.count(FAILED) * 2 >= SEEN:
        breaker.open_reason = OF_LAST
    elif breaker.open_until is None:
        return
    breaker.open_until = now + timedelta(seconds=settings.BREAKER_PAUSE_SECONDS)
