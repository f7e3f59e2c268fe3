"""Rate limits: fixed windows that start with their first call, exact across all processes.

Limits that responses report override documented ones. Counting requires a lock on the integration's row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.moments import BOUNDS, CLOCKS_APART
from linkadmin.providers.http.admission import Denial, Quota, Rate
from linkadmin.providers.http.answer import MAX_RETRY_AFTER

from .denials import QUOTA
from .models import CallQuota, Integration

MACHINE_SHARE = 0.75  # of a window, for background work; the rest is for people
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


def denial_of(quotas: Sequence[CallQuota], *, by_hand: bool = False, in_background: bool = False) -> Denial | None:
    """`by_hand` ignores the provider's requests to wait; `in_background` may only use a share of each window."""
    share = MACHINE_SHARE if in_background else 1.0
    full = [quota for quota in quotas if quota.used >= quota.calls * share and (quota.calls or not by_hand)]
    if not full:
        return None
    longest = max(full, key=lambda quota: quota.window_ends_at)
    return Denial(QUOTA, longest.window_ends_at, why(longest))


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
    running = [quota.pk for quota in quotas if not quota.starts_now]
    if running:
        CallQuota.objects.filter(pk__in=running).update(used=F("used") + 1)
    for quota in quotas:
        if quota.starts_now:
            quota.used += 1
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
    if stored is not None and now < stored.window_ends_at <= now + LONGEST_WINDOW:
        return stored
    is_reported = stored is not None and stored.reported and stored.calls > 0
    if documented is None and not is_reported:
        return None
    window = stored or CallQuota(integration=integration, scope=scope)
    window.used, window.reported, window.starts_now = 0, is_reported, True
    if documented is not None and not is_reported:
        window.calls = documented.calls
    window.window_ends_at = now + timedelta(seconds=documented.seconds if documented else REPORTED_WINDOW)
    return window
