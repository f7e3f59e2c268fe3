"""Shows whether background processing runs, and since when it hasn't."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .models import Heartbeat, ProgramKind

DEAD_AFTER = timedelta(seconds=40)
START_SECONDS = 30  # after a start, before pages say that nothing runs
KNOWN_SECONDS = 2.0  # shorter than a page's poll interval: a page is at most one poll late
_started = time.monotonic()


@dataclass(frozen=True, slots=True)
class Background:
    """What isn't running. `since` is its last heartbeat; None if there never was one."""

    scheduler_is_dead: bool
    workers_are_dead: bool
    since: datetime | None

    @property
    def has_stopped(self) -> bool:
        return self.scheduler_is_dead or self.workers_are_dead


def read_status() -> Background:
    """Read what's dead. A live worker that makes no progress while the scheduler queues tasks counts as dead."""
    seen = {
        kind: (alive, worked)
        for kind, alive, worked in Heartbeat.objects.order_by()
        .values("kind")
        .annotate(alive=Max("alive_at"), worked=Max("worked_at"))
        .values_list("kind", "alive", "worked")
    }
    beat = seen.get(ProgramKind.BEAT, (None, None))[0]
    worker, worked = seen.get(ProgramKind.WORKER, (None, None))
    scheduler_is_dead = is_old(beat)
    workers_are_dead = is_old(worker) or (not scheduler_is_dead and is_old(worked))
    return Background(scheduler_is_dead, workers_are_dead, worked if workers_are_dead else beat)


_known: tuple[float, Background] | None = None  # with when it was read (monotonic seconds)


def cached_status() -> Background:
    """Return `read_status()`, cached for KNOWN_SECONDS so that not every page and poll queries the database."""
    global _known
    now = time.monotonic()
    if _known is None or now - _known[0] >= KNOWN_SECONDS:
        _known = now, read_status()
    return _known[1]


def words() -> str:
    """Return the banner about stopped background processing; empty while it runs or is starting."""
    if not has_stopped():
        return ""
    stopped = _("Background processing has stopped.")
    since = cached_status().since
    if since is None:
        return f"{stopped} " + _("No background process has run yet. Statuses may be out of date.")
    return f"{stopped} " + _("Nothing has been checked since %(time)s. Statuses may be out of date.") % {
        "time": _exact(since)
    }


def ongoing(claim: str, otherwise: str = "") -> str:
    return (otherwise or waiting()) if has_stopped() else claim


def waiting() -> str:
    since = cached_status().since
    if since is None:
        return _("Waiting for background processing to start.")
    return _("Waiting for background processing to restart. Last active: %(time)s.") % {"time": _exact(since)}


def has_stopped() -> bool:
    return not is_starting() and cached_status().has_stopped


def is_starting() -> bool:
    return time.monotonic() - _started < START_SECONDS


def _exact(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def is_old(moment: datetime | None) -> bool:
    return moment is None or timezone.now() - moment > DEAD_AFTER
