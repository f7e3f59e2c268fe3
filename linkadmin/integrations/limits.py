"""What limits an integration's calls now, in one statement: its circuit breaker and its rate limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from linkadmin.compiled_query import CompiledQuery
from linkadmin.providers.http.admission import Denial

from . import circuit_breaker, quotas
from .alerts import Alert, alert_of, why_keys
from .denials import describe
from .models import CallQuota, CircuitBreaker, Integration

_COLUMNS = [field.attname for field in CallQuota._meta.concrete_fields]


def with_limits(integration: UUID) -> "QuerySet[Integration]":
    """A row for each rate limit of the integration, and one if it has none."""
    columns = {f"quota_{name}": F(f"quotas__{name}") for name in _COLUMNS}
    return Integration.objects.filter(pk=integration).select_related("circuit_breaker").annotate(**columns)


_LIMITS = CompiledQuery(with_limits)


@dataclass(frozen=True)
class Limits:
    """An integration, and what is stored of its limits."""

    integration: Integration
    quotas: Mapping[str, CallQuota]  # by scope

    @classmethod
    def of(cls, integration_id: UUID) -> "Limits":
        """Raises `Integration.DoesNotExist`."""
        return cls.read(_LIMITS.instances(integration_id))

    @classmethod
    def read(cls, rows: Sequence[Any]) -> "Limits":
        """From rows of `with_limits`. Raises `Integration.DoesNotExist`."""
        if not rows:
            raise Integration.DoesNotExist
        values = [[getattr(row, f"quota_{name}") for name in _COLUMNS] for row in rows]
        stored = [CallQuota.from_db(rows[0]._state.db, _COLUMNS, each) for each in values if each[0] is not None]
        return cls(rows[0], {quota.scope: quota for quota in stored})

    @cached_property
    def breaker(self) -> CircuitBreaker | None:
        return getattr(self.integration, "circuit_breaker", None)

    @property
    def are_good(self) -> bool:
        """Whether a success would change nothing about keys and rate limits."""
        is_valid = self.integration.key_state == Integration.KeyState.VALID
        return is_valid and not any(quota.guesses for quota in self.quotas.values())

    def denial(self, call: str) -> Denial | None:
        now = timezone.now()
        is_open = circuit_breaker.denial_of(self.breaker, now=now) if self.breaker else None
        return is_open or quotas.denial_of(quotas.windows(self.integration, call, self.quotas, now=now))

    def why_denied(self, call: str) -> str:
        """Empty if the call would be admitted."""
        denial = self.denial(call)
        return describe(denial, self.integration) if denial else ""

    def why_paused(self, call: str) -> str:
        """As `why_denied`, also for rejected keys."""
        return why_keys(self.integration) or self.why_denied(call)

    @property
    def alerts(self) -> list[Alert]:
        alert = alert_of(self.integration) if self.integration.is_active else None
        return [alert] if alert else []
