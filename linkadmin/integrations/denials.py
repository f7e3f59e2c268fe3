"""Each reason for which a call was denied by us, or got no answer, has words for the person who wanted it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.providers.http.admission import ADDRESS_REFUSED, Denial
from linkadmin.providers.names import isolated

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAUSED, QUOTA, NO_SLOT, KEYS_REJECTED, NO_DATABASE = "paused", "quota", "no_slot", "keys_rejected", "no_database"
OWN_SHARE = "own_share"  # one person has half of the slots
NO_FREE_SLOT = frozenset({NO_SLOT, OWN_SHARE})  # which is over in a moment
DENIED = frozenset({PAUSED, QUOTA, KEYS_REJECTED, NO_DATABASE}) | NO_FREE_SLOT  # by us, so that nothing was sent

_DENIALS: "Mapping[str, StrOrPromise]" = {
    PAUSED: gettext_lazy("Calls to this provider are paused for a while: too many of them failed."),
    QUOTA: gettext_lazy("The provider limits how often we may call, and nothing is left of that for now."),
    NO_SLOT: gettext_lazy("Too many calls to this provider are under way at once."),
    OWN_SHARE: gettext_lazy("One person may use half of the request slots of this provider, and uses them."),
    KEYS_REJECTED: gettext_lazy("The provider refuses our keys, so no call is made with them."),
    NO_DATABASE: gettext_lazy("Our own database could not be reached, and without it no call is made."),
}
_LOST_CALLS: "Mapping[str, StrOrPromise]" = {
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


def describe(denial: Denial, integration: object) -> str:
    """Say until when, where that is known, and why an integration's calls are denied."""
    name, why = isolated(str(integration)), denial.why
    if denial.retry_at is None:
        return _("Calls to %(name)s are paused: %(why)s.") % {"name": name, "why": why}
    until = {"name": name, "time": clock_time(denial.retry_at), "why": why}
    return _("Calls to %(name)s are paused until %(time)s: %(why)s.") % until


def words_for(reason: str) -> str:
    """Return a sentence for a reason of ours; empty for what is no reason of ours, such as a provider's code."""
    return str(_DENIALS.get(reason) or _LOST_CALLS.get(reason, ""))


def why_unasked(reason: str) -> str:
    """Return a sentence for why a link could not be asked about: a reason of ours or a provider's code."""
    answered = _("The provider answered with the error “%(code)s”.")
    return words_for(reason) or answered % {"code": reason}


def clock_time(at: datetime) -> str:
    """Return a time of the reader's day, with its zone."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'H:i:s')} {local:%Z}"
