"""Which secrets an integration's messages prove themselves with, so that one is retired only when it is not used."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from linkadmin.integrations.models import Integration

from .models import WebhookSecret

LOOKED_AT = 100  # of the last messages


@dataclass(frozen=True, slots=True)
class Use:
    """A live secret, and how many of the last messages it proved."""

    row: WebhookSecret
    made: datetime | None
    proved: int
    of: int


def secrets_in_use(integration: Integration) -> list[Use]:
    """Return the live secrets, the newest first."""
    live = integration.webhook_secrets.filter(revoked_at=None).select_related("created_by").order_by("-version")
    last = integration.deliveries.order_by("-pk").values_list("secret_id", flat=True)[:LOOKED_AT]
    proved = Counter(last)
    return [Use(row, row.created_at, proved[row.pk], proved.total()) for row in live]
