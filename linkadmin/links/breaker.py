"""When the calls to an integration are paused, and how one of them finds out whether the others may go on.

Rules over one row, which the caller holds locked: nothing here reads or saves.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.moments import LONGEST_CALL, LONGEST_PAUSE
from linkadmin.providers.admission import HealthSignal

from .denials import PAUSED, Pause
from .models import Traffic

GOOD, FAILED = ".", "x"
SEEN = 20  # calls are remembered; half of them failed is too many
IN_A_ROW, OF_LAST = "in_a_row", "of_last"


def pause_of(traffic: Traffic, *, now: datetime) -> Pause | None:
    """Return why no call may be made now, unless it is one that finds out."""
    if traffic.paused_until is None:
        return None
    if now < traffic.paused_until <= now + LONGEST_PAUSE:  # one that is longer was begun by a clock that was ahead
        return Pause.until(PAUSED, traffic.paused_until, why=why(traffic), now=now)
    if traffic.probe_until is not None and now < traffic.probe_until <= now + LONGEST_CALL:
        return Pause(PAUSED, why=_("one call finds out whether the provider answers again"))
    return None


def why(traffic: Traffic) -> str:
    """Say what calls are paused for."""
    if traffic.pause_reason == OF_LAST:
        failed = traffic.recent.count(FAILED)
        return _("%(failed)d of the last %(seen)d calls failed") % {"failed": failed, "seen": len(traffic.recent)}
    return ngettext("%(count)d failure in a row", "%(count)d failures in a row", traffic.failures) % {
        "count": traffic.failures
    }


def learn(traffic: Traffic, sign: HealthSignal, *, is_probe: bool, now: datetime) -> None:
    """Take the end of a try into account."""
    if traffic.paused_until is not None and not is_probe:
        return  # it began before the pause, and tells nothing about what came after
    if is_probe:
        traffic.probe_until = None
    if sign is HealthSignal.NOTHING:
        return
    traffic.recent = (traffic.recent + (FAILED if sign is HealthSignal.FAILS else GOOD))[-SEEN:]
    if sign is HealthSignal.FAILS:
        _fail(traffic, now)
    else:
        _succeed(traffic)


def _succeed(traffic: Traffic) -> None:
    traffic.failures = 0
    if traffic.paused_until is not None:
        traffic.paused_until, traffic.pause_reason, traffic.recent = None, "", ""


def _fail(traffic: Traffic, now: datetime) -> None:
    traffic.failures = min(traffic.failures + 1, 9_999)
    if traffic.failures >= settings.BREAKER_FAILURES_IN_A_ROW:
        traffic.pause_reason = IN_A_ROW
    elif len(traffic.recent) == SEEN and traffic.recent.count(FAILED) * 2 >= SEEN:
        traffic.pause_reason = OF_LAST
    elif traffic.paused_until is None:
        return
    traffic.paused_until = now + timedelta(seconds=settings.BREAKER_PAUSE_SECONDS)
