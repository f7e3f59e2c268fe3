"""What runs in the background, and since when it doesn't."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from .models import Heartbeat, ProgramKind

DEAD_AFTER = timedelta(seconds=40)
START_SECONDS = 30  # in which the programs of a fresh start come up, before a page says that they don't run
KNOWN_SECONDS = 2.0  # less than between two polls of a page, so that none is told late by more than one
_started = time.monotonic()


@dataclass(frozen=True, slots=True)
class Background:
    """What doesn't run. `since` is when something last did; None if nothing ever has."""

    scheduler_is_dead: bool
    workers_are_dead: bool
    since: datetime | None

    @property
    def has_stopped(self) -> bool:
        return self.scheduler_is_dead or self.workers_are_dead


def look() -> Background:
    """Tell what is dead. A worker that is alive but gets on with no task, while beat schedules some, counts as dead."""
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


_known: tuple[float, Background] | None = None  # and when, by the monotonic clock


def glance() -> Background:
    """Tell what was dead a moment ago, so that not every page and poll of this process asks the database."""
    global _known
    now = time.monotonic()
    if _known is None or now - _known[0] >= KNOWN_SECONDS:
        _known = now, look()
    return _known[1]


def words() -> str:
    """Say on pages what doesn't run, and what that means; nothing while all runs, or is only starting."""
    if not has_stopped():
        return ""
    told = _("Background processing has stopped.")
    since = glance().since
    if since is None:
        return f"{told} " + _("No background process has run yet. Statuses may be out of date.")
    return f"{told} " + _("Nothing has been checked since %(time)s. Statuses may be out of date.") % {
        "time": _exact(since)
    }


def ongoing(claim: str, otherwise: str = "") -> str:
    """Return what a page says that background work does or will do; while it has stopped, that this waits for it."""
    return (otherwise or waiting()) if has_stopped() else claim


def waiting() -> str:
    since = glance().since
    if since is None:
        return _("Waiting for background processing to start.")
    return _("Waiting for background processing to restart. Last active: %(time)s.") % {"time": _exact(since)}


def has_stopped() -> bool:
    """Tell whether pages say that background work has stopped."""
    return not is_starting() and glance().has_stopped


def is_starting() -> bool:
    return time.monotonic() - _started < START_SECONDS


def _exact(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def is_old(moment: datetime | None) -> bool:
    """Tell whether a program that last showed something then is dead."""
    return moment is None or timezone.now() - moment > DEAD_AFTER
