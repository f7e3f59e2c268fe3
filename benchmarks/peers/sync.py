"""W4: a sync as tutorials write it. `python -m benchmarks.peers.sync loop URL ID PASSWORD` prints the seconds.

- loop: one page after another, update_or_create per record; the seconds include reading.
- bulk: bulk_create with update_conflicts, a page at a time; the seconds are those of the writes.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

import requests  # noqa: E402

from benchmarks.peers.models import EndUser, Institution, Integration, Link  # noqa: E402

INTEGRATION = "Synced"
UPDATED = ["institution", "health", "cause", "health_since", "last_good_at"]


def pages(url: str, auth: tuple[str, str]) -> Iterator[list[dict[str, Any]]]:
    while url:
        answer = requests.get(url, auth=auth, timeout=60).json()
        yield answer["results"]
        url = answer["next"]


def loop(url: str, auth: tuple[str, str]) -> float:
    started = time.perf_counter()
    integration, _ = Integration.objects.get_or_create(name=INTEGRATION)
    for page in pages(url, auth):
        for record in page:
            customer, _ = EndUser.objects.get_or_create(external_id=record["external_id"])
            bank, _ = Institution.objects.get_or_create(integration=integration, name=record["institution"])
            Link.objects.update_or_create(
                integration=integration,
                remote_id=record["id"],
                defaults={"end_user": customer, "institution": bank, **state(record)},
            )
    return time.perf_counter() - started


def bulk(url: str, auth: tuple[str, str]) -> float:
    seconds = 0.0
    integration, _ = Integration.objects.get_or_create(name=INTEGRATION)
    for page in pages(url, auth):
        customers, banks = _rows_named(page, integration)
        started = time.perf_counter()
        links = [
            Link(
                integration=integration,
                remote_id=record["id"],
                end_user=customers[record["external_id"]],
                institution=banks[record["institution"]],
                **state(record),
            )
            for record in page
        ]
        Link.objects.bulk_create(
            links, update_conflicts=True, unique_fields=["integration", "remote_id"], update_fields=UPDATED
        )
        seconds += time.perf_counter() - started
    return seconds


def _rows_named(page: list[dict[str, Any]], integration: Integration) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return customers and institutions of a page, creating those that are new."""
    keys, names = {each["external_id"] for each in page}, {each["institution"] for each in page}
    EndUser.objects.bulk_create((EndUser(external_id=key) for key in keys), ignore_conflicts=True)
    new = (Institution(integration=integration, name=name) for name in names)
    Institution.objects.bulk_create(new, ignore_conflicts=True)
    customers = {each.external_id: each for each in EndUser.objects.filter(external_id__in=keys)}
    return customers, {each.name: each for each in Institution.objects.filter(integration=integration)}


def state(record: dict[str, Any]) -> dict[str, Any]:
    good = record["last_accessed_at"]
    return {
        "health": "healthy" if record["status"] == "valid" else "customer_login",
        "cause": record["status"],
        "health_since": datetime.now(UTC),
        "last_good_at": datetime.fromisoformat(good) if good else None,
    }


if __name__ == "__main__":
    print({"loop": loop, "bulk": bulk}[sys.argv[1]](sys.argv[2], (sys.argv[3], sys.argv[4])))
