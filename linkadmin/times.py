"""Times as pages show them: how long ago, or how soon, with the exact one behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as people say it, with the exact one behind it."""

    iso: str
    ago: str
    exact: str


def moment(at: datetime | None, *, now: datetime | None = None) -> Moment | None:
    return None if at is None else told(at, now or timezone.now())


def expected(at: datetime | None) -> Moment | None:
    """Return a time that may lie ahead, as people say it."""
    now = timezone.now()
    shown = moment(at, now=now)
    if at is None or shown is None or at <= now:
        return shown
    return Moment(shown.iso, _ahead(at - now), shown.exact)


def ago(at: datetime, *, now: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    seconds = int((now - at).total_seconds())
    if seconds < 0:
        return _("just now")
    if seconds < 60:
        return _("%(count)d s ago") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)d min ago") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)d h ago") % {"count": seconds // 3600}
    days = seconds // 86_400
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def told(at: datetime, now: datetime) -> Moment:
    """Return a time that is known as people say it, and as the clock of the reader says it."""
    local = timezone.localtime(at)
    exact = f"{date_format(local, 'j M Y')}, {local:%H:%M:%S} {local:%Z}"
    return Moment(at.isoformat(), ago(at, now=now), exact)


def _ahead(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60 + 1
    if minutes < 60:
        return _("in %(count)d min") % {"count": minutes}
    if left < timedelta(days=1):
        return _("in %(count)d h") % {"count": minutes // 60}
    return ngettext("in %(count)d day", "in %(count)d days", left.days) % {"count": left.days}
