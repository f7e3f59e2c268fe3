"""Print what occurs in the data set, for the workloads: IDs, words, and cursors of pages deep inside each list.

Workloads may measure an older product: this module uses nothing of it but models and the form of cursors.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.db.models import Count, Model, QuerySet

from linkadmin.accounts.models import User
from linkadmin.audit.models import AuditEvent
from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.links.models import EndUser, HealthChange, Institution, Link, UnrecognizedValue
from linkadmin.operations.models import Operation
from linkadmin.sync.models import FullCheck
from linkadmin.webhooks.models import WebhookDelivery

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEEP = 0.9  # of a list


def cursor(rows: "QuerySet[Any]", *order: str, share: float = DEEP) -> str:
    """Return the cursor of a row: its key, or its ID alone if the key holds a text."""
    row = rows.order_by(*order)[int(rows.count() * share)]
    values = [getattr(row, name.removeprefix("-")) for name in order]
    if any(isinstance(value, str) for value in values):
        return str(row.pk)
    return ".".join(str(_microseconds(value)) if isinstance(value, datetime) else str(value) for value in values)


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def every(model: type[Model]) -> "QuerySet[Any]":
    return model._default_manager.all()


def main() -> dict[str, Any]:
    # A run may have links of its own for a while.
    links = Link.objects.filter(integration__name__startswith="Integration ").order_by("pk")
    short, long = links[:2]
    per_bank = Institution.objects.annotate(n=Count("links")).order_by("-n", "pk")
    rare = Institution.objects.annotate(n=Count("links")).filter(n__gt=0).order_by("n", "pk")[0]
    popular = per_bank[0]
    job, check = BulkJob.objects.order_by("pk")[0], FullCheck.objects.order_by("pk")[0]
    sample = links.select_related("end_user")[links.count() // 3]
    event, delivery = AuditEvent.objects.order_by("seq")[0], WebhookDelivery.objects.order_by("pk")[0]
    return {
        "link": str(short.pk),
        "long_link": str(long.pk),
        "integration": str(popular.integration_id),
        "institution": str(popular.pk),
        "rare_institution": str(rare.pk),
        "rare_integration": str(rare.integration_id),
        "staff": str(User.objects.filter(roles="manager").order_by("username")[0].pk),
        "job": str(job.pk),
        "full_check": str(check.pk),
        "full_check_integration": str(check.integration_id),
        "remote_id": sample.remote_id,
        "customer_id": sample.end_user.external_id,
        "customer_name": sample.end_user.name,
        "object_id": event.object_id,
        "delivery_remote_id": delivery.remote_link_id,
        "deep": {
            "links": cursor(every(Link), "urgency", "health_since", "id"),
            "customers": cursor(every(Link), "urgency", "health_since", "id"),
            "customers by name": cursor(every(EndUser), "name", "id"),
            "institutions": cursor(every(Institution), "display_name", "id"),
            "deliveries": cursor(every(WebhookDelivery), "-id"),
            "operations": cursor(every(Operation), "-created_at", "-id"),
            "audit": cursor(every(AuditEvent), "-seq"),
            "full checks": cursor(check.integration.full_checks.all(), "-started_at", "-id"),
            "bulk jobs": cursor(every(BulkJob), "-created_at", "-id"),
            "rows of a bulk job": cursor(job.items.all(), "id", share=0.4),
            "history": str(_microseconds(long.changes.order_by("-at")[4000].at)),
            "unrecognized values": cursor(every(UnrecognizedValue), "-last_at", "-id"),
            "customers by ID": cursor(every(EndUser), "external_id"),
            "changes": cursor(every(HealthChange), "-id"),
            "items": cursor(every(BulkItem), "-id"),
        },
        "page_2": cursor(every(Link), "urgency", "health_since", "id", share=49 / links.count()),
    }


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
