"""What happens at the providers by itself: links that work fetch new data on their schedule."""

from collections.abc import Sequence
from datetime import timedelta

from . import belvo_consents as consents
from .belvo_messages import found_more
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
        since, world.renewed_at = world.renewed_at, now
        belvo = [link for link in world.belvo_links.values() if _renew_belvo(link, now)]
        heron = [link for link in world.heron_links.values() if _renew_heron(link, now)]
        if belvo or heron:
            world.save()
        if since:  # what came about before the first look is old news
            _announce(world, belvo, heron)
            consents.announce(world, since, now)


def _announce(world: World, belvo: Sequence[BelvoLink], heron: Sequence[HeronLink]) -> None:
    """Tell of the data that was fetched."""
    for link in belvo:
        world.tell_belvo(found_more(link, world.bank(link)))
    for item in heron:
        world.tell_of_end_user(item.end_user_id, "transactions_updated")


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
