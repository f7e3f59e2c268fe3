"""Why a call is held back by us, in words for who wanted it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from linkadmin.providers.gate import Hold

PAUSED, QUOTA, NO_PLACE, KEYS_REFUSED, NO_BOOKS = "paused", "quota", "no_place", "keys_refused", "no_books"
HELD_BACK = frozenset({PAUSED, QUOTA, NO_PLACE, KEYS_REFUSED, NO_BOOKS})  # by us, so that nothing was sent


@dataclass(frozen=True, slots=True)
class Pause(Hold):
    """A hold that says until when, where that is known, and why."""

    ends_at: datetime | None = None
    why: str = ""

    @classmethod
    def until(cls, reason: str, ends_at: datetime, *, why: str, now: datetime) -> "Pause":
        return cls(reason, max(0.0, (ends_at - now).total_seconds()), ends_at, why)

    def words(self, integration: object) -> str:
        """Say it about an integration."""
        if self.ends_at is None:
            return _("Calls to %(name)s are paused: %(why)s.") % {"name": integration, "why": self.why}
        return _("Calls to %(name)s are paused until %(time)s: %(why)s.") % {
            "name": integration,
            "time": clock_time(self.ends_at),
            "why": self.why,
        }


def clock_time(at: datetime) -> str:
    return date_format(timezone.localtime(at), "H:i:s")
