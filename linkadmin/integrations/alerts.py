"""Integrations that can't be used now, because their keys are rejected or the circuit breaker is open."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from linkadmin.compiled_query import CompiledQuery
from linkadmin.providers.names import isolated

from . import circuit_breaker
from .denials import clock_time, describe
from .models import CircuitBreaker, Integration, IntegrationQuerySet


@dataclass(frozen=True, slots=True)
class Alert:
    """Why an integration can't be used now, for the bar on its pages."""

    integration: Integration
    words: str
    is_about_keys: bool  # otherwise about an open circuit breaker
    since: datetime | None = None
    until: str = ""


def alerts(of: Collection[UUID] | None = None) -> list[Alert]:
    """`of`: IDs of integrations; None for all active ones."""
    found = [each for each in _TROUBLED.instances() if of is None or each.pk in of]
    return [alert for each in found if (alert := alert_of(each)) is not None]


def troubled() -> IntegrationQuerySet:
    """Some alerts end with time, so this isn't exact."""
    may_be = Q(key_state=Integration.KeyState.REJECTED) | Q(circuit_breaker__open_until__isnull=False)
    return Integration.objects.filter(may_be, is_active=True)


_TROUBLED = CompiledQuery(lambda: troubled().select_related("circuit_breaker").order_by("name"), types=())


def alert_of(integration: Integration) -> Alert | None:
    if integration.keys_rejected:
        until = clock_time(integration.keys_retry_at) if integration.keys_retry_at else ""
        since = integration.keys_rejected_at
        return Alert(integration, why_keys(integration), is_about_keys=True, since=since, until=until)
    try:
        denial = circuit_breaker.denial_of(integration.circuit_breaker, now=timezone.now())
    except CircuitBreaker.DoesNotExist:
        return None
    return Alert(integration, describe(denial, integration), is_about_keys=False) if denial else None


def why_keys(integration: Integration) -> str:
    if not integration.keys_rejected:
        return ""
    return _("%(provider)s is rejecting our API keys for %(name)s.") % {
        "provider": integration.provider_label,
        "name": isolated(integration.name),
    }
