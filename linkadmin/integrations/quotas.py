"""Rate limits, exact across all processes.

A documented limit holds for any window, whenever it starts. A limit that responses report holds until its window ends,
and overrides the documented one. Counting requires a lock on the integration's row.

Background work may use nine tenths of a limit while no person needs it, spread over the window: it never makes more
calls in an eighth of the window than its share of that. A person's calls count there too, so background work yields to
them with its next call.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.moments import BOUNDS, CLOCKS_APART
from linkadmin.providers.http.admission import Denial, Quota, Rate
from linkadmin.providers.http.answer import MAX_RETRY_AFTER

from .denials import QUOTA
from .models import CallQuota, Integration
from .recent_calls import RecentCalls, total_of

MACHINE_SHARE = 0.9  # of a window, for background work; the rest is for people
BACKGROUND_WAIT, PERSON_WAIT = 10.0, 0.25  # seconds, at most, for a limit that is about to allow another call
PACED = 1 / 8  # of a window: within each, background work makes its share of calls
REPORTED_WINDOW = 60.0  # seconds; the window of a provider that reports resets, until it reports the next
FIRST_GUESS, LONGEST_GUESS = 60.0, MAX_RETRY_AFTER  # seconds to wait if no response says how long
# A window that ends later comes from a clock that was ahead.
LONGEST_WINDOW = BOUNDS["integrations.CallQuota"]["window_ends_at"] + CLOCKS_APART
MOST_GUESSES = 10  # more aren't counted: the wait has its maximum by then
MOST_CALLS = 2_147_483_647  # maximum of the column


def windows(integration: Integration, call: str, stored: Mapping[str, CallQuota], *, now: datetime) -> list[CallQuota]:
    """Return the windows that apply to a call now, with expired ones restarted. Saves nothing."""
    scopes = _scopes(integration, call)
    documented = {quota.scope: quota for quota in integration.provider_class.quotas}
    found = (_window(integration, scope, stored.get(scope), documented.get(scope), now) for scope in scopes)
    return [window for window in found if window is not None]


def current(integration: Integration, stored: Mapping[str, CallQuota], *, now: datetime) -> list[CallQuota]:
    """Return the windows that haven't ended, with the calls that count now. Saves nothing."""
    seconds = {quota.scope: quota.seconds for quota in integration.provider_class.quotas}
    open_ = [quota for _scope, quota in sorted(stored.items()) if quota.window_ends_at > now]
    return [_rolled(each, seconds.get(each.scope, REPORTED_WINDOW), now) for each in open_]


def denial_of(quotas: Sequence[CallQuota], *, by_hand: bool = False, in_background: bool = False) -> Denial | None:
    """`by_hand` ignores the provider's requests to wait; `in_background` may only use a share of each window."""
    full = [quota for quota in quotas if _left(quota, in_background) <= 0 and (quota.calls or not by_hand)]
    if full:
        longest = max(full, key=free_at)
        return Denial(QUOTA, free_at(longest), why(longest))
    ahead = [quota for quota in quotas if in_background and _is_ahead(quota)]
    return Denial(QUOTA, max(map(_in_pace_at, ahead)), why(ahead[0])) if ahead else None


def machine_share(quota: CallQuota) -> int:
    """How many calls of a window background work may make: all but one of a few, so that a person gets one."""
    return max(min(1, quota.calls), int(quota.calls * MACHINE_SHARE))


def _left(quota: CallQuota, in_background: bool) -> int:
    return (machine_share(quota) if in_background else quota.calls) - quota.used


def free_at(quota: CallQuota) -> datetime:
    """When a used-up quota allows another call."""
    if not quota.recent or not _is_rolling(quota):
        return quota.window_ends_at
    now = timezone.now()
    return RecentCalls.read(quota.recent, quota.seconds, now).free_at(now)


def _is_ahead(quota: CallQuota) -> bool:
    now = timezone.now()
    most = math.ceil(machine_share(quota) * PACED)
    return RecentCalls.read(quota.recent, quota.seconds, now).lately(PACED, now) >= most


def _in_pace_at(quota: CallQuota) -> datetime:
    now = timezone.now()
    return RecentCalls.read(quota.recent, quota.seconds, now).lately_free_at(PACED, now)


def why(quota: CallQuota) -> str:
    if not quota.calls and quota.guesses:
        return _("the provider rate-limited us and didn't say for how long")
    if not quota.calls:
        return _("the provider asked us to wait")
    if quota.used < quota.calls:
        return _("the rest of the rate limit is reserved for requests by staff")
    return ngettext(
        "the limit of %(count)d request has been reached",
        "the limit of %(count)d requests has been reached",
        quota.calls,
    ) % {"count": quota.calls}


def count(quotas: Sequence[CallQuota]) -> None:
    now = timezone.now()
    for quota in quotas:
        recent = RecentCalls.read(quota.recent, quota.seconds, now)
        recent.add(now)
        used = quota.used + 1
        if _is_rolling(quota):
            # Some may have left the window since it was checked.
            used, quota.window_ends_at = recent.total, now + timedelta(seconds=quota.seconds)
        quota.used, quota.recent = used, recent.write()
        quota.save()


def apply_rate(integration: Integration, rate: Rate, *, now: datetime) -> None:
    """A reported limit may not include our calls in flight, so `used` never decreases."""
    quota = CallQuota.objects.filter(integration=integration, scope=rate.scope).first()
    if quota is None:
        quota = CallQuota(integration=integration, scope=rate.scope, calls=MOST_CALLS, window_ends_at=now)
    if rate.ends_in is None:
        _guess(quota, now)
        return
    ends_at = now + timedelta(seconds=rate.ends_in)
    if ends_at <= now or rate.calls > MOST_CALLS:
        return
    if not rate.calls and quota.reported:
        ends_at = max(ends_at, quota.window_ends_at)
    ours = quota.used if quota.window_ends_at > now else 0
    if rate.calls:
        quota.calls, quota.used = rate.calls, max(ours, rate.calls - rate.left)
    else:  # a limit reported earlier is used up
        quota.calls = quota.used = quota.calls if quota.reported else 0
    quota.window_ends_at, quota.reported, quota.guesses = ends_at, True, 0
    quota.save()


def note_answered(integration: Integration, call: str, *, now: datetime) -> None:
    # The next guess starts short again.
    guessed = CallQuota.objects.filter(integration=integration, scope__in=_scopes(integration, call), guesses__gt=0)
    guessed.exclude(calls=0, window_ends_at__gt=now).update(guesses=0)


def forget_guesses(integration: Integration, *, now: datetime) -> None:
    # A person has found that the provider responds.
    guessed = CallQuota.objects.filter(integration=integration, guesses__gt=0)
    guessed.filter(calls=0).update(window_ends_at=now)
    guessed.update(guesses=0)


def _guess(quota: CallQuota, now: datetime) -> None:
    # Twice as long each time in a row. Calls already in flight when a wait started don't count again.
    if not quota.calls and quota.window_ends_at > now:
        return
    seconds = min(FIRST_GUESS * 2.0**quota.guesses, LONGEST_GUESS)
    quota.calls, quota.used, quota.reported = 0, 0, False
    quota.guesses = min(quota.guesses + 1, MOST_GUESSES)
    quota.window_ends_at = now + timedelta(seconds=seconds)
    quota.save()


def _scopes(integration: Integration, call: str) -> list[str]:
    return list(dict.fromkeys(("", integration.provider_class.quota_scope(call))))


def _window(
    integration: Integration, scope: str, stored: CallQuota | None, documented: Quota | None, now: datetime
) -> CallQuota | None:
    seconds = documented.seconds if documented else REPORTED_WINDOW
    if stored is not None and now < stored.window_ends_at <= now + LONGEST_WINDOW:
        return _rolled(stored, seconds, now)
    is_reported = stored is not None and stored.reported and stored.calls > 0
    if documented is None and not is_reported:
        return None
    window = stored or CallQuota(integration=integration, scope=scope)
    window.used, window.reported, window.seconds = 0, is_reported, seconds
    if documented is not None and not is_reported:
        # A wait that the provider asked for may have been shorter than this window.
        recent = RecentCalls.read(window.recent, seconds, now)
        window.calls, window.used, window.recent = documented.calls, recent.total, recent.write()
    window.window_ends_at = now + timedelta(seconds=seconds)
    return window


def _rolled(window: CallQuota, seconds: float, now: datetime) -> CallQuota:
    window.seconds = seconds
    if _is_rolling(window):
        recent = RecentCalls.read(window.recent, seconds, now)
        window.used, window.recent = recent.total, recent.write()
    return window


def _is_rolling(window: CallQuota) -> bool:
    # A limit that the provider set, or asks us to wait for, ends when it says.
    return bool(window.calls) and not window.reported and window.used == total_of(window.recent)
