"""Why a call is held back by us, or went wrong on the line, in words for who wanted it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.providers.admission import ADDRESS_REFUSED, Denial
from linkadmin.providers.names import isolated

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAUSED, QUOTA, NO_PLACE, KEYS_REFUSED, NO_BOOKS = "paused", "quota", "no_place", "keys_refused", "no_books"
OWN_SHARE = "own_share"  # one person has half of the places
CROWDED = frozenset({NO_PLACE, OWN_SHARE})  # which is over in a moment
HELD_BACK = frozenset({PAUSED, QUOTA, KEYS_REFUSED, NO_BOOKS}) | CROWDED  # by us, so that nothing was sent

_HOLDS: "Mapping[str, StrOrPromise]" = {
    PAUSED: gettext_lazy("Calls to this provider are paused for a while: too many of them failed."),
    QUOTA: gettext_lazy("The provider limits how often we may call, and nothing is left of that for now."),
    NO_PLACE: gettext_lazy("Too many calls to this provider are under way at once."),
    OWN_SHARE: gettext_lazy("One person may use half of the request slots of this provider, and uses them."),
    KEYS_REFUSED: gettext_lazy("The provider refuses our keys, so no call is made with them."),
    NO_BOOKS: gettext_lazy("Our own database could not be reached, and without it no call is made."),
}
_LINE_FAULTS: "Mapping[str, StrOrPromise]" = {
    ADDRESS_REFUSED: gettext_lazy("The integration's address is none that may be called."),
    "not_connected": gettext_lazy("No connection to the provider could be made."),
    "not_configured": gettext_lazy("The keys of this integration are missing, or cannot be opened."),
    "tls": gettext_lazy("The provider could not prove that it is the provider."),
    "timeout": gettext_lazy("The provider took longer than we wait for it."),
    "reset": gettext_lazy("The line to the provider broke."),
    "broken": gettext_lazy("The line to the provider broke."),
    "cut": gettext_lazy("The provider's answer broke off half-way."),
    "oversized": gettext_lazy("The provider's answer was longer than we read."),
    "unreadable": gettext_lazy("What came back is no answer we can read, such as a web page in its place."),
}


@dataclass(frozen=True, slots=True)
class Pause(Denial):
    """A hold that says until when, where that is known, and why."""

    ends_at: datetime | None = None
    why: str = ""

    @classmethod
    def until(cls, reason: str, ends_at: datetime, *, why: str, now: datetime) -> "Pause":
        return cls(reason, max(0.0, (ends_at - now).total_seconds()), ends_at, why)

    def words(self, integration: object) -> str:
        """Say it about an integration."""
        if self.ends_at is None:
            return _("Calls to %(name)s are paused: %(why)s.") % {"name": isolated(str(integration)), "why": self.why}
        return _("Calls to %(name)s are paused until %(time)s: %(why)s.") % {
            "name": isolated(str(integration)),
            "time": clock_time(self.ends_at),
            "why": self.why,
        }


def words_for(reason: str) -> str:
    """Return a sentence for a reason of ours; empty for what is no reason of ours, such as a provider's code."""
    return str(_HOLDS.get(reason) or _LINE_FAULTS.get(reason, ""))


def why_unasked(reason: str) -> str:
    """Return a sentence for why a link could not be asked about: a reason of ours or a provider's code."""
    answered = _("The provider answered with the error “%(code)s”.")
    return words_for(reason) or answered % {"code": reason}


def clock_time(at: datetime) -> str:
    """Return a time of the reader's day, with its zone."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'H:i:s')} {local:%Z}"
