"""How long a full pass takes at the provider's rate limits: reading every page, or the links of every customer."""

import math
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.integrations import quotas
from linkadmin.integrations.limits import Limits
from linkadmin.integrations.models import Integration
from linkadmin.links import counts
from linkadmin.providers.records import FullCheckBy
from linkadmin.sync.models import CustomerFingerprint

CALL = "list_links"
SHORT = timedelta(minutes=1)  # not worth a sentence


def explain(integration: Integration) -> str:
    """Empty if nothing limits it, or hardly."""
    time = full_pass(integration, Limits.of(integration.pk))
    if time is None or time < SHORT:
        return ""
    if integration.provider_class.full_check_by is FullCheckBy.LINKS:
        return _("A full check takes about %(time)s at this rate limit.") % {"time": in_words(time)}
    text = _(
        "Reading every customer's links would take about %(time)s at this rate limit. A full check reads only "
        "customers whose list entry changed or whose links need attention. Webhooks cover the rest."
    )
    return text % {"time": in_words(time)}


def full_pass(integration: Integration, limits: Limits) -> timedelta | None:
    """None if we know of no rate limit."""
    windows = quotas.windows(limits.integration, CALL, limits.quotas, now=timezone.now())
    seconds_per_call = [each.seconds / quotas.machine_share(each) for each in windows if each.calls]
    return timedelta(seconds=_calls(integration) * max(seconds_per_call)) if seconds_per_call else None


def in_words(time: timedelta) -> str:
    minutes = math.ceil(time.total_seconds() / 60)
    if minutes < 120:
        return _("%(count)d min") % {"count": minutes}
    hours = round(minutes / 60)
    return _("%(count)d h") % {"count": hours} if hours < 48 else _("%(count)d days") % {"count": round(hours / 24)}


def _calls(integration: Integration) -> int:
    if integration.provider_class.full_check_by is FullCheckBy.CUSTOMERS:
        return CustomerFingerprint.objects.filter(integration=integration).count()
    links = sum(counts.current(integration=integration).values())
    return math.ceil(links / integration.provider_class.links_per_page)
