"""API usage of an integration: slots, rate limits and circuit breaker, for its page."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from linkadmin.heartbeats import watch
from linkadmin.web.badges import StateBadge

from . import circuit_breaker, quotas
from .denials import clock_time
from .limits import Limits
from .models import CallQuota, CallSlot, CircuitBreaker, Integration

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CALLS: "Mapping[str, StrOrPromise]" = {
    "": gettext_lazy("All requests"),
    "test_connection": gettext_lazy("Test connection"),
    "create_link": gettext_lazy("Create link"),
    "update_credentials": gettext_lazy("Update credentials"),
    "submit_code": gettext_lazy("Submit code"),
    "refresh_data": gettext_lazy("Refresh data"),
    "change_settings": gettext_lazy("Change settings"),
    "remove_link": gettext_lazy("Delete link"),
    "remove_link_in_background": gettext_lazy("Delete link (background)"),
    "replace_token": gettext_lazy("Replace access token"),
    "create_repair_url": gettext_lazy("Open repair page for customer"),
    "create_session": gettext_lazy("Create visit to the provider's page"),
    "read_item_id": gettext_lazy("Find link of an access token"),
    "read_session": gettext_lazy("Read result of a visit"),
    "read_webhook_key": gettext_lazy("Fetch webhook key"),
    "regenerate_reports": gettext_lazy("Regenerate reports"),
    "create_end_user": gettext_lazy("Add customer"),
    "rename_end_user": gettext_lazy("Change customer name"),
    "switch_data_source": gettext_lazy("Include or exclude data source"),
    "add_webhook": gettext_lazy("Subscribe to topic"),
    "switch_webhook": gettext_lazy("Pause or resume subscription"),
    "remove_webhook": gettext_lazy("Unsubscribe from topic"),
    "read_link": gettext_lazy("Read link"),
    "find_link": gettext_lazy("Find link"),
    "read_links": gettext_lazy("Read links by ID"),
    "list_links": gettext_lazy("List links"),
    "list_links_everywhere": gettext_lazy("List all links"),
    "list_institutions": gettext_lazy("List institutions"),
    "find_institutions": gettext_lazy("Search institutions"),
    "read_institution": gettext_lazy("Read institution"),
    "list_consents": gettext_lazy("List consents"),
    "list_end_users": gettext_lazy("List customers"),
    "read_end_user": gettext_lazy("Read customer"),
    "read_processing": gettext_lazy("Read processing status"),
    "list_data_sources": gettext_lazy("List data sources"),
    "list_connectors": gettext_lazy("List connectors"),
    "list_webhooks": gettext_lazy("List subscriptions"),
    "list_webhook_topics": gettext_lazy("List topics"),
}


def usage_of(limits: Limits) -> dict[str, Any]:
    integration, now = limits.integration, timezone.now()
    breaker = limits.breaker or CircuitBreaker(integration=integration)
    slots = CallSlot.objects.filter(integration=integration, lease_until__gt=now).order_by("taken_at", "id")
    windows = quotas.current(integration, limits.quotas, now=now)
    return {
        "limits": limits,
        "state": _state(integration, breaker, windows, now=now),
        "is_open": breaker.open_until is not None,
        "calls": [(name_of(slot.call) if slot.call else _("Preparing"), slot.taken_at) for slot in slots],
        "slots": settings.CALLS_AT_ONCE_PER_INTEGRATION,
        "quotas": [_quota(quota) for quota in windows],
        "keys": _keys(integration),
    }


def name_of(call: str) -> str:
    return str(CALLS.get(call, call.replace("_", " ")))


def _state(
    integration: Integration, breaker: CircuitBreaker, windows: Iterable[CallQuota], *, now: datetime
) -> StateBadge:
    if not integration.is_active:
        why = _("We send it no requests, and its links keep their last status.")
        return StateBadge("quiet", "circle-slash", _("Inactive"), why)
    if integration.keys_rejected:
        return StateBadge("bad", "circle-x", _("API keys rejected"))
    if breaker.open_until is not None:
        return _paused(breaker, breaker.open_until, now=now)
    if any(quota.used >= quota.calls for quota in windows):
        return StateBadge("warn", "hourglass", _("Rate limited"))
    if integration.key_state == Integration.KeyState.VALID:
        return StateBadge("ok", "circle-check", _("Connection OK"))
    is_untested = integration.key_state == Integration.KeyState.UNTESTED
    why = _("Test the connection to check them.") if is_untested else integration.test_detail
    return StateBadge("quiet", "circle-dashed", integration.get_key_state_display(), why)


def _paused(breaker: CircuitBreaker, open_until: datetime, *, now: datetime) -> StateBadge:
    if open_until > now:
        until = {"time": clock_time(open_until), "why": circuit_breaker.why(breaker)}
        return StateBadge("bad", "circle-x", _("Paused until %(time)s: %(why)s") % until)
    if breaker.probe_until is not None and breaker.probe_until > now:
        return StateBadge("warn", "hourglass", _("Testing with one request"), circuit_breaker.why(breaker))
    return StateBadge(
        "warn",
        "hourglass",
        _("Paused. The next request will show whether the provider is responding again."),
        circuit_breaker.why(breaker),
    )


def _quota(quota: CallQuota) -> dict[str, str]:
    used = {"used": min(quota.used, quota.calls), "calls": quota.calls}
    return {
        "scope": name_of(quota.scope),
        "used": _("%(used)d of %(calls)d") % used if quota.calls else _("provider asked us to wait"),
        "ends": clock_time(quota.window_ends_at),
        "source": _("set by the provider") if quota.reported else _("documented limit"),
    }


def _keys(integration: Integration) -> str:
    if not integration.keys_rejected:
        return _("None")
    if integration.keys_retry_at is None:
        return _("Rejected: no requests until someone tests the connection")
    retried = _("Rejected: we'll try again at %(time)s, or when someone tests the connection")
    claim = retried % {"time": clock_time(integration.keys_retry_at)}
    return watch.ongoing(claim, _("Rejected: test the connection to try the keys again"))
