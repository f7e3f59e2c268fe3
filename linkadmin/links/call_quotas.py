"""How often an integration may be called: fixed windows that begin with their first call, exact over all processes.

What a provider told comes before what its documents say. Every function expects the integration's traffic row locked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from linkadmin.moments import BOUNDS, CLOCKS_APART
from linkadmin.providers.admission import Quota, Rate
from linkadmin.providers.http import MAX_RETRY_AFTER

from .denials import QUOTA, Pause
from .models import CallQuota, Integration

MACHINE_SHARE = 0.75  # of a window; the rest is kept for what people do
TOLD_WINDOW = 60.0  # seconds; of a provider that tells when a window ends, until it tells that of the next
FIRST_GUESS, LONGEST_GUESS = 60.0, MAX_RETRY_AFTER  # seconds to wait where no answer tells for how long
# A window that ends later was begun by a clock that was ahead.
LONGEST_WINDOW = BOUNDS["links.CallQuota"]["window_ends_at"] + CLOCKS_APART
MOST_GUESSES = 10  # counted: by then they are as long as they get
MOST_CALLS = 2_147_483_647  # what the column holds


def windows(integration: Integration, call: str, *, now: datetime) -> list[CallQuota]:
    """Return the windows that a call made now falls into, begun anew where the last one is over; saves nothing."""
    scopes = _scopes(integration, call)
    kept = {row.scope: row for row in CallQuota.objects.filter(integration=integration, scope__in=scopes)}
    documented = {quota.scope: quota for quota in integration.provider_class.quotas}
    found = (_window(integration, scope, kept.get(scope), documented.get(scope), now) for scope in scopes)
    return [window for window in found if window is not None]


def used_up(
    quotas: Sequence[CallQuota], *, now: datetime, by_hand: bool = False, in_background: bool = False
) -> Pause | None:
    """Return the pause until the last of the windows with no call left ends.

    By hand a wish to wait is passed over; in the background only a share of a window is there to be used.
    """
    share = MACHINE_SHARE if in_background else 1.0
    full = [quota for quota in quotas if quota.used >= quota.calls * share and (quota.calls or not by_hand)]
    if not full:
        return None
    longest = max(full, key=lambda quota: quota.window_ends_at)
    return Pause.until(QUOTA, longest.window_ends_at, why=why(longest), now=now)


def why(quota: CallQuota) -> str:
    """Say why a window has no call left."""
    if not quota.calls and quota.guesses:
        return _("the provider got too many requests and did not say how long to wait")
    if not quota.calls:
        return _("the provider asked to wait")
    if quota.used < quota.calls:
        return _("what is left of its quota is kept for what people do")
    return ngettext(
        "the quota of %(count)d call is used up", "the quota of %(count)d calls is used up", quota.calls
    ) % {"count": quota.calls}


def use(quotas: Sequence[CallQuota]) -> None:
    """Count one call."""
    for quota in quotas:
        quota.used += 1
        quota.save()


def learn(integration: Integration, rate: Rate, *, now: datetime) -> None:
    """Take over what an answer told. Calls that are under way may not be counted in it yet: ours do not get fewer."""
    quota = CallQuota.objects.filter(integration=integration, scope=rate.scope).first()
    if quota is None:
        quota = CallQuota(integration=integration, scope=rate.scope, calls=MOST_CALLS, window_ends_at=now)
    if rate.ends_in is None:
        _guess(quota, now)
        return
    ends_at = now + timedelta(seconds=rate.ends_in)
    if ends_at <= now or rate.calls > MOST_CALLS:
        return
    if not rate.calls and quota.told:
        ends_at = max(ends_at, quota.window_ends_at)
    ours = quota.used if quota.window_ends_at > now else 0
    if rate.calls:
        quota.calls, quota.used = rate.calls, max(ours, rate.calls - rate.left)
    else:  # of a limit that was told before, nothing is left
        quota.calls = quota.used = quota.calls if quota.told else 0
    quota.window_ends_at, quota.told, quota.guesses = ends_at, True, 0
    quota.save()


def note_answered(integration: Integration, call: str, *, now: datetime) -> None:
    """Take note of a call that was not too soon: the next guess begins with the shortest."""
    guessed = CallQuota.objects.filter(integration=integration, scope__in=_scopes(integration, call), guesses__gt=0)
    guessed.exclude(calls=0, window_ends_at__gt=now).update(guesses=0)


def forget_guesses(integration: Integration, *, now: datetime) -> None:
    """End the waits that no answer told the length of: a person has found that calls are answered."""
    guessed = CallQuota.objects.filter(integration=integration, guesses__gt=0)
    guessed.filter(calls=0).update(window_ends_at=now)
    guessed.update(guesses=0)


def _guess(quota: CallQuota, now: datetime) -> None:
    """Wait, twice as long each time in a row. Calls that were under way when a wait began are no next time."""
    if not quota.calls and quota.window_ends_at > now:
        return
    seconds = min(FIRST_GUESS * 2.0**quota.guesses, LONGEST_GUESS)
    quota.calls, quota.used, quota.told = 0, 0, False
    quota.guesses = min(quota.guesses + 1, MOST_GUESSES)
    quota.window_ends_at = now + timedelta(seconds=seconds)
    quota.save()


def _scopes(integration: Integration, call: str) -> list[str]:
    return list(dict.fromkeys(("", integration.provider_class.quota_scope(call))))


def _window(
    integration: Integration, scope: str, kept: CallQuota | None, documented: Quota | None, now: datetime
) -> CallQuota | None:
    if kept is not None and now < kept.window_ends_at <= now + LONGEST_WINDOW:
        return kept
    is_told = kept is not None and kept.told and kept.calls > 0
    if documented is None and not is_told:
        return None
    window = kept or CallQuota(integration=integration, scope=scope)
    window.used, window.told = 0, is_told
    if documented is not None and not is_told:
        window.calls = documented.calls
    window.window_ends_at = now + timedelta(seconds=documented.seconds if documented else TOLD_WINDOW)
    return window
