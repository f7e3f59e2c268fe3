"""A program that lets a troubled provider be called on: pauses, used-up quotas and refused keys are forgotten."""

import json
import sys

import django

django.setup()

from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration  # noqa: E402

if __name__ == "__main__":
    CircuitBreaker.objects.all().delete()
    CallQuota.objects.all().delete()
    # A worker may have read institutions while the echo server refused the keys of another integration.
    Integration.objects.update(key_state=Integration.KeyState.VALID, keys_rejected_at=None, keys_retry_at=None)
    json.dump({}, sys.stdout)
