"""How the calls to an integration go, as its page shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.heartbeats import watch

from . import breaker
from .denials import clock_time
from .models import CallPlace, CallQuota, Integration, Traffic
from .presentation import StateBadge

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CALLS: "Mapping[str, StrOrPromise]" = {
    "": gettext_lazy("All calls together"),
    "test_connection": gettext_lazy("Test the connection"),
    "create_link": gettext_lazy("Create a link"),
    "update_credentials": gettext_lazy("Update credentials"),
    "submit_token": gettext_lazy("Send a one-time code"),
    "fetch_data": gettext_lazy("Fetch new data"),
    "change_settings": gettext_lazy("Change settings"),
    "remove_link": gettext_lazy("Remove a link"),
    "remove_link_in_background": gettext_lazy("Remove a link in the background"),
    "replace_token": gettext_lazy("Hand over an access token"),
    "make_repair_address": gettext_lazy("Make a repair address"),
    "refresh_reports": gettext_lazy("Make reports anew"),
    "create_end_user": gettext_lazy("Create a customer"),
    "switch_data_source": gettext_lazy("Switch a data source"),
    "add_webhook": gettext_lazy("Subscribe to a topic"),
    "switch_webhook": gettext_lazy("Switch a subscription"),
    "remove_webhook": gettext_lazy("End a subscription"),
    "read_link": gettext_lazy("Read a link"),
    "find_link": gettext_lazy("Look for a link"),
    "read_links": gettext_lazy("Read several links"),
    "list_links": gettext_lazy("List links"),
    "list_links_everywhere": gettext_lazy("List links of the whole account"),
    "list_institutions": gettext_lazy("Read the institutions"),
    "find_institutions": gettext_lazy("Look for institutions"),
    "read_institution": gettext_lazy("Read an institution"),
    "list_consents": gettext_lazy("List consents"),
    "read_consent": gettext_lazy("Read a consent"),
    "list_end_users": gettext_lazy("List customers"),
    "read_end_user": gettext_lazy("Read a customer"),
    "read_processing": gettext_lazy("Ask how far processing is"),
    "list_data_sources": gettext_lazy("List data sources"),
    "list_connectors": gettext_lazy("List integrations at the provider"),
    "list_webhooks": gettext_lazy("List subscriptions"),
    "list_webhook_topics": gettext_lazy("List topics"),
}


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call that is under way."""

    name: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """One window: how much of it is used, until when, and on whose word."""

    scope: str
    used: str
    ends: str
    source: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The traffic of one integration."""

    state: StateBadge
    is_paused: bool
    calls: list[CallRow]
    places: int
    quotas: list[QuotaRow]
    keys: str


def panel_of(integration: Integration) -> Panel:
    now = timezone.now()
    traffic = Traffic.objects.filter(integration=integration).first() or Traffic(integration=integration)
    places = CallPlace.objects.filter(integration=integration, lease_until__gt=now).order_by("taken_at", "id")
    quotas = list(CallQuota.objects.filter(integration=integration, window_ends_at__gt=now).order_by("scope"))
    return Panel(
        state=_state(traffic, quotas, now=now) if not integration.keys_refused else _no_calls(),
        is_paused=traffic.paused_until is not None,
        calls=[CallRow(_held_for(place), place.taken_at) for place in places],
        places=settings.CALLS_AT_ONCE_PER_INTEGRATION,
        quotas=[_quota(quota) for quota in quotas],
        keys=_keys(integration),
    )


def name_of(call: str) -> str:
    """Return a call in words; one we have no words for as it is named."""
    return str(CALLS.get(call, call.replace("_", " ")))


def _held_for(place: CallPlace) -> str:
    return name_of(place.call) if place.call else _("About to be made")


def _no_calls() -> StateBadge:
    return StateBadge("bad", "circle-x", _("No calls: the keys are rejected"))


def _state(traffic: Traffic, quotas: Iterable[CallQuota], *, now: datetime) -> StateBadge:
    if traffic.paused_until is None and any(quota.used >= quota.calls for quota in quotas):
        return StateBadge("warn", "hourglass", _("A quota is used up"))
    if traffic.paused_until is None:
        return StateBadge("ok", "circle-check", _("Calls go through"))
    if traffic.paused_until > now:
        until = {"time": clock_time(traffic.paused_until), "why": breaker.why(traffic)}
        return StateBadge("bad", "circle-x", _("Paused until %(time)s: %(why)s") % until)
    if traffic.probe_until is not None and traffic.probe_until > now:
        return StateBadge("warn", "hourglass", _("Trying one call"), breaker.why(traffic))
    return StateBadge("warn", "hourglass", _("The next call finds out whether it works again"), breaker.why(traffic))


def _quota(quota: CallQuota) -> QuotaRow:
    used = {"used": min(quota.used, quota.calls), "calls": quota.calls}
    return QuotaRow(
        scope=name_of(quota.scope),
        used=_("%(used)d of %(calls)d") % used if quota.calls else _("wait"),
        ends=clock_time(quota.window_ends_at),
        source=_("told by the provider") if quota.told else _("from its documents"),
    )


def _keys(integration: Integration) -> str:
    if not integration.keys_refused:
        return _("Not refused")
    if integration.keys_retry_at is None:
        return _("Refused: no calls until a person tests the connection")
    retried = _("Refused: tried again at %(time)s, or when a person tests the connection")
    claim = retried % {"time": clock_time(integration.keys_retry_at)}
    return watch.ongoing(claim, _("Refused: tried again when a person tests the connection"))
