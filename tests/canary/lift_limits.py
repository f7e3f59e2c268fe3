"""Clears circuit breakers, quotas and rejected keys, so that calls to a failing provider are allowed again."""

from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration


def lift() -> None:
    CircuitBreaker.objects.all().delete()
    CallQuota.objects.all().delete()
    # A worker may have read institutions while the echo server rejected another integration's keys.
    Integration.objects.update(key_state=Integration.KeyState.VALID, keys_rejected_at=None, keys_retry_at=None)
