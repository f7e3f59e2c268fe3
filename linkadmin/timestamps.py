"""Times on pages: how long ago or how soon, with the exact time in the reader's zone on hover."""

from datetime import date, datetime, time, timedelta
from datetime import timezone as fixed_zone
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from linkadmin.web.flat_parts import FlatPart

register = template.Library()

_TIME = FlatPart("partials/_time.html")
MIDNIGHT = "00:00"  # as every language writes it


@register.filter
def ago(at: datetime | None, css: str = "") -> str:
    return "" if at is None else _drawn(at, ago_words(at, now=timezone.now()), css)


@register.filter
def soon(at: datetime | None) -> str:
    if at is None:
        return ""
    now = timezone.now()
    return _drawn(at, ago_words(at, now=now) if at <= now else _soon_words(at - now), "")


@register.filter
def exact(at: datetime | None) -> str:
    return (
        "" if at is None else _TIME.fill([{"css": "", "at": at.isoformat(), "exactly": "", "words": exact_words(at)}])
    )


@register.filter
def exact_words(at: datetime | None) -> str:
    if at is None:
        return ""
    return local_words(at.astimezone(timezone.get_current_timezone()), get_language())


def local_words(local: datetime, language: str) -> str:
    hour = f"{local.hour:02}:{local.minute:02}"
    return _words_of_day(local.date(), str(local.tzname()), language).replace(MIDNIGHT, hour, 1)


@register.filter
def lasting(since: datetime) -> str:
    return _drawn(since, span_words(timezone.now() - since), "")


@register.filter
def since(at: datetime) -> str:
    """The hour of a time today, otherwise its day."""
    local = at.astimezone(timezone.get_current_timezone())
    is_today = local.date() == timezone.localdate()
    words = f"{local.hour}:{local.minute:02}" if is_today else day_words(local.date(), "MONTH_DAY_FORMAT")
    return _drawn(at, words, "")


def span_words(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return _("%(count)d s") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)d h") % {"count": seconds // 3600}
    return ngettext("%(count)d day", "%(count)d days", span.days) % {"count": span.days}


@register.filter
def duration_words(time: timedelta | None) -> str:
    """How long something took: the shorter, the more exact."""
    if time is None:
        return ""
    if time < timedelta(seconds=1):
        return _("%(count)d ms") % {"count": time // timedelta(milliseconds=1)}
    minutes, seconds = divmod(time.total_seconds(), 60)
    if not minutes and seconds < 10:
        return _("%(seconds).1f s") % {"seconds": seconds}
    if 0 < minutes < 60 and seconds >= 1:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    return span_words(time)


def short_span_words(span: timedelta) -> str:
    return span_words(span) if span.days < 1 else _("%(count)d d") % {"count": span.days}


def short_ago_words(at: datetime, *, now: datetime) -> str:
    days = (now - at).days
    return ago_words(at, now=now) if days < 1 else _("%(count)d d ago") % {"count": days}


def ago_words(at: datetime, *, now: datetime) -> str:
    seconds = int((now - at).total_seconds())
    unit = 1 if seconds < 60 else 60 if seconds < 3600 else 3600 if seconds < 86_400 else 86_400
    return _ago_words(max(-1, seconds // unit * unit), get_language())


@lru_cache(maxsize=1000)
def _ago_words(seconds: int, _language: str | None) -> str:
    if seconds < 1:
        return _("just now")
    if seconds < 60:
        return _("%(count)d s ago") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)d min ago") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)d h ago") % {"count": seconds // 3600}
    days = seconds // 86_400
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def day_words(day: date, format_name: str = "DATE_FORMAT") -> str:
    return _day_words(day, format_name, get_language())


@lru_cache(maxsize=1000)
def _day_words(day: date, format_name: str, _language: str | None) -> str:
    return date_format(day, format_name)


def _soon_words(left: timedelta) -> str:
    minutes = int(left.total_seconds()) // 60 + 1
    if minutes < 60:
        return _("in %(count)d min") % {"count": minutes}
    if left < timedelta(days=1):
        return _("in %(count)d h") % {"count": minutes // 60}
    return ngettext("in %(count)d day", "in %(count)d days", left.days) % {"count": left.days}


def _drawn(at: datetime, words: str, css: str) -> str:
    return _TIME.fill([{"css": css, "at": at.isoformat(), "exactly": exact_words(at), "words": words}])


@lru_cache(maxsize=1000)
def _words_of_day(day: date, zone: str, _language: str) -> str:
    """Midnight of a day in words. A list has many times of few days, and formatting one is slow."""
    return date_format(datetime.combine(day, time.min, fixed_zone(timedelta(), zone)), "DATETIME_FORMAT")
