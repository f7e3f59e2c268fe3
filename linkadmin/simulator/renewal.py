"""What happens at the providers by itself: links that work fetch new data on their schedule."""

from datetime import timedelta

from .clock import iso, seconds
from .records import PLAID_PULLS, REFRESH_RATES, BelvoLink, HeronLink
from .state import World

LOOK_EVERY = 60.0  # seconds; nobody notices a link that is fetched a minute late


def renew(world: World) -> None:
    """Let every fetch that was due since the last look have happened."""
    with world.lock:
        now = world.clock()
        if now < world.renewed_at + LOOK_EVERY:
            return
        world.renewed_at = now
        belvo = [_renew_belvo(link, now) for link in world.belvo_links.values()]
        heron = [_renew_heron(link, now) for link in world.heron_links.values()]
        if any(belvo) or any(heron):
            world.save()


def _renew_belvo(link: BelvoLink, now: float) -> bool:
    rate = REFRESH_RATES.get(link.refresh_rate or "")
    works = link.status == "valid" and link.access_mode == "recurrent" and not link.silent
    latest = _latest(link.last_accessed_at, rate, now) if works and rate else None
    if latest:
        link.last_accessed_at = latest
    return latest is not None


def _renew_heron(link: HeronLink, now: float) -> bool:
    works = link.status == "active" and link.type == "plaid_integration" and not link.silent
    latest = _latest(link.last_successful_sync, PLAID_PULLS, now) if works else None
    if latest:
        link.last_successful_sync = link.last_updated = latest
    return latest is not None


def _latest(last: str | None, rate: timedelta, now: float) -> str | None:
    """Return the moment of the latest fetch that was due by now, if one was."""
    if last is None:
        return None
    missed = int((now - seconds(last)) // rate.total_seconds())
    return iso(seconds(last) + missed * rate.total_seconds()) if missed > 0 else None
