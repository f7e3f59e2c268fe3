"""Texts for each reason why we denied a call, or got no response."""

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
OWN_SHARE = "own_share"  # one person uses half of the slots
NO_FREE_SLOT = frozenset({NO_SLOT, OWN_SHARE})  # usually for a moment
DENIED = frozenset({PAUSED, QUOTA, KEYS_REJECTED, NO_DATABASE}) | NO_FREE_SLOT  # by us: nothing was sent

_DENIALS: "Mapping[str, StrOrPromise]" = {
    PAUSED: gettext_lazy("We paused requests to this provider because too many failed."),
    QUOTA: gettext_lazy("We've used up the provider's rate limit for now."),
    NO_SLOT: gettext_lazy("Too many requests to this provider are in progress."),
    OWN_SHARE: gettext_lazy(
        "You've reached your limit for this provider: one person can use at most half of the request slots."
    ),
    KEYS_REJECTED: gettext_lazy("The provider is rejecting our API keys, so we didn't send the request."),
    NO_DATABASE: gettext_lazy("We couldn't reach our database, so nothing was sent."),
}
_LOST_CALLS: "Mapping[str, StrOrPromise]" = {
    ADDRESS_REFUSED: gettext_lazy("Requests to this integration's base URL aren't allowed."),
    "not_connected": gettext_lazy("We couldn't connect to the provider."),
    "not_configured": gettext_lazy("This integration's API keys are missing or can't be decrypted."),
    "tls": gettext_lazy("We couldn't verify the provider's TLS certificate."),
    "timeout": gettext_lazy("The provider took too long to respond."),
    "reset": gettext_lazy("The connection to the provider was lost."),
    "broken": gettext_lazy("The connection to the provider was lost."),
    "cut": gettext_lazy("The provider's response was cut off."),
    "oversized": gettext_lazy("The provider's response was too large."),
    "unreadable": gettext_lazy("We couldn't read the response. It may have been a web page."),
}


def describe(denial: Denial, integration: object) -> str:
    name, why = isolated(str(integration)), denial.why
    if denial.retry_at is None:
        return _("Requests to %(name)s are paused: %(why)s.") % {"name": name, "why": why}
    until = {"name": name, "time": clock_time(denial.retry_at), "why": why}
    return _("Requests to %(name)s are paused until %(time)s: %(why)s.") % until


def words_for(reason: str) -> str:
    return str(_DENIALS.get(reason) or _LOST_CALLS.get(reason, ""))


def why_check_failed(reason: str) -> str:
    answered = _("The provider responded with the error “%(code)s”.")
    return words_for(reason) or answered % {"code": reason}


def clock_time(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{date_format(local, 'H:i:s')} {local:%Z}"
