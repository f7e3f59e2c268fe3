"""Counts of database rows."""

from collections import Counter
from typing import Any

from django.db.models import Count, Q

from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.links.models import HealthChange, Link, Note
from linkadmin.sync.models import FullCheck


def count_rows() -> dict[str, Any]:
    return {
        "full_checks": [
            _full_check(full_check)
            for full_check in FullCheck.objects.select_related("integration").order_by("started_at")
        ],
        "links": Link.objects.count(),
        "twice": Link.objects.values("integration", "remote_id").annotate(n=Count("pk")).filter(n__gt=1).count(),
        "beginnings": HealthChange.objects.filter(old="").count(),
        "jobs": [_job(job) for job in BulkJob.objects.order_by("created_at")],
        "notes": Counter(Note.objects.values_list("link").annotate(n=Count("pk")).values_list("n", flat=True)),
    }


def _full_check(full_check: FullCheck) -> dict[str, Any]:
    parts = full_check.parts.aggregate(n=Count("pk"), done=Count("pk", filter=Q(done_at__isnull=False)))
    told = {
        "provider": full_check.integration.provider,
        "state": full_check.state,
        "note": full_check.note,
        "seen": full_check.seen,
    }
    return told | {"parts": parts["n"], "done": parts["done"]}


def _job(job: BulkJob) -> dict[str, Any]:
    states = Counter(BulkItem.objects.filter(job=job).values_list("state", flat=True))
    return {"kind": job.kind, "state": job.state, "total": job.total, "items": states}
