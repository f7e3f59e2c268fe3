"""How much of its limits an integration uses now, as its page shows it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.heartbeats import watch
from linkadmin.web.badges import StateBadge

from . import circuit_breaker
from .denials import clock_time
from .models import CallQuota, CallSlot, CircuitBreaker, Integration

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CALLS: "Mapping[str, StrOrPromise]" = {
    "": gettext_lazy("All calls together"),
    "test_connection": gettext_lazy("Test the connection"),
    "create_link": gettext_lazy("Create a link"),
    "update_credentials": gettext_lazy("Update credentials"),
    "submit_code": gettext_lazy("Send a one-time code"),
    "refresh_data": gettext_lazy("Fetch new data"),
    "change_settings": gettext_lazy("Change settings"),
    "remove_link": gettext_lazy("Remove a link"),
    "remove_link_in_background": gettext_lazy("Remove a link in the background"),
    "replace_token": gettext_lazy("Hand over an access token"),
    "create_repair_url": gettext_lazy("Make a repair address"),
    "regenerate_reports": gettext_lazy("Make reports anew"),
    "create_end_user": gettext_lazy("Create a customer"),
    "rename_end_user": gettext_lazy("Rename a customer"),
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


def usage_of(integration: Integration) -> dict[str, Any]:
    """Return what the panel on the page of an integration shows."""
    now = timezone.now()
    breaker = CircuitBreaker.objects.filter(integration=integration).first() or CircuitBreaker(integration=integration)
    slots = CallSlot.objects.filter(integration=integration, lease_until__gt=now).order_by("taken_at", "id")
    quotas = list(CallQuota.objects.filter(integration=integration, window_ends_at__gt=now).order_by("scope"))
    no_calls = StateBadge("bad", "circle-x", _("No calls: the keys are rejected"))
    return {
        "state": no_calls if integration.keys_rejected else _state(breaker, quotas, now=now),
        "is_open": breaker.open_until is not None,
        "calls": [(name_of(slot.call) if slot.call else _("About to be made"), slot.taken_at) for slot in slots],
        "slots": settings.CALLS_AT_ONCE_PER_INTEGRATION,
        "quotas": [_quota(quota) for quota in quotas],
        "keys": _keys(integration),
    }


def name_of(call: str) -> str:
    """Return a call in words; one we have no words for as it is named."""
    return str(CALLS.get(call, call.replace("_", " ")))


def _state(breaker: CircuitBreaker, quotas: Iterable[CallQuota], *, now: datetime) -> StateBadge:
    if breaker.open_until is None and any(quota.used >= quota.calls for quota in quotas):
        return StateBadge("warn", "hourglass", _("A quota is used up"))
    if breaker.open_until is None:
        return StateBadge("ok", "circle-check", _("Calls go through"))
    if breaker.open_until > now:
        until = {"time": clock_time(breaker.open_until), "why": circuit_breaker.why(breaker)}
        return StateBadge("bad", "circle-x", _("Paused until %(time)s: %(why)s") % until)
    if breaker.probe_until is not None and breaker.probe_until > now:
        return StateBadge("warn", "hourglass", _("Trying one call"), circuit_breaker.why(breaker))
    return StateBadge(
        "warn", "hourglass", _("The next call finds out whether it works again"), circuit_breaker.why(breaker)
    )


def _quota(quota: CallQuota) -> dict[str, str]:
    """Return one window: how much of it is used, until when, and who says so."""
    used = {"used": min(quota.used, quota.calls), "calls": quota.calls}
    return {
        "scope": name_of(quota.scope),
        "used": _("%(used)d of %(calls)d") % used if quota.calls else _("wait"),
        "ends": clock_time(quota.window_ends_at),
        "source": _("told by the provider") if quota.reported else _("from its documents"),
    }


def _keys(integration: Integration) -> str:
    if not integration.keys_rejected:
        return _("Not refused")
    if integration.keys_retry_at is None:
        return _("Refused: no calls until a person tests the connection")
    retried = _("Refused: tried again at %(time)s, or when a person tests the connection")
    claim = retried % {"time": clock_time(integration.keys_retry_at)}
    return watch.ongoing(claim, _("Refused: tried again when a person tests the connection"))
