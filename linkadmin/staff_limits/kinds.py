"""What is limited, how much of it one person may have, and within what time."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

MOST = 20_000  # of any limit: what counts is one row of 12 bytes each
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class LimitKind(models.TextChoices):
    CUSTOMERS_OPENED = "customers_opened", _("Customers opened")
    CUSTOMERS_LISTED = "customers_listed", _("Customer names seen")
    EXPORTS = "exports", _("Exports")
    CREDENTIALS = "credentials", _("Credentials and codes sent")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `stop` within a sliding window; from `warn` on, it's noted. A stop of 0 turns it off."""

    warn: int
    stop: int
    within: timedelta


def limit_of(kind: LimitKind) -> Limit:
    warn, stop = settings.STAFF_LIMITS[kind.value]
    return Limit(warn, stop, DAY if kind is LimitKind.EXPORTS else HOUR)
