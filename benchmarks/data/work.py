"""Deliveries, operations, bulk jobs and full checks, a share per link."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from benchmarks.sizes import Size
from linkadmin.accounts.models import User
from linkadmin.bulk.models import BulkItem, BulkJob
from linkadmin.integrations.models import Integration
from linkadmin.links.models import Link, UnrecognizedValue
from linkadmin.operations.models import Operation
from linkadmin.sync.models import FullCheck, FullCheckBatch
from linkadmin.webhooks.models import DeliveryLink, WebhookDelivery, timed_id

from .table import NOW, Table, chance_of, loading, moment, new_id

DELIVERIES, OPERATIONS, JOBS, CHECKS = 0.3, 0.2, 0.0002, 0.001  # per link
ITEMS, BATCHES, UNRECOGNIZED = 100, 20, 40  # per job, per full check, in all
OUTCOMES = {"no_change": 0.8, "changed": 0.15, "no_matching_link": 0.0498, "invalid_payload": 0.0002}
STATES = {"succeeded": 0.85, "rejected": 0.1, "not_sent": 0.0497, "needs_decision": 0.0003}
KINDS = {"update_credentials": 0.5, "refresh_data": 0.4, "remove_link": 0.1}


def build_deliveries(size: Size) -> None:
    chance, count = chance_of("deliveries"), int(size.links * DELIVERIES)
    names = "id integration key received_at size kind topic remote_link_id payload state outcome processed_at due_at"
    deliveries = Table(WebhookDelivery, *names.split())
    about = Table(DeliveryLink, "delivery", "link", "read_at", "outcome")
    with loading(WebhookDelivery, DeliveryLink):
        links = _links(count, "remote_id")
        while some := list(islice(links, 20_000)):
            rows = []
            for link, integration, remote in some:
                at = NOW - timedelta(seconds=chance.random() * 90 * 86_400)
                outcome = chance.choices([*OUTCOMES], [*OUTCOMES.values()])[0]
                key, kind = new_id(chance) + new_id(chance), ("link_status", "new_data")[chance.random() < 0.5]
                start = (timed_id(at).hex, integration, key, moment(at), 120, kind, kind, remote)
                rows.append(((*start, '{"data": {}}', "done", outcome, moment(at), None), link))
            deliveries.fill(row for row, _link in rows)
            about.fill((row[0], link, row[3], row[10]) for row, link in rows if row[10] in ("changed", "no_change"))


def build_operations(size: Size) -> None:
    chance, count = chance_of("operations"), int(size.links * OPERATIONS)
    names = (
        "id kind state integration link end_user actor operation_key fingerprint created_at sent_at finished_at"
        " http_status duration_ms"
    )
    staff = _staff()

    def times() -> list[str]:
        return [moment(NOW - timedelta(seconds=chance.random() * 365 * 86_400))] * 3  # created, sent, finished

    with loading(Operation):
        Table(Operation, *names.split()).fill(
            (
                new_id(chance),
                chance.choices([*KINDS], [*KINDS.values()])[0],
                chance.choices([*STATES], [*STATES.values()])[0],
                integration,
                link,
                customer.hex,
                chance.choice(staff),
                new_id(chance),
                new_id(chance) + new_id(chance),
                *times(),
                200,
                900,
            )
            for link, integration, customer in _links(count, "end_user_id")
        )


def build_jobs(size: Size) -> None:
    chance, staff = chance_of("jobs"), _staff()
    links = [link for link, _integration, _remote in _links(min(size.links, 10_000), "remote_id")]
    jobs = [(new_id(chance), moment(NOW - timedelta(hours=n))) for n in range(max(60, int(size.links * JOBS)))]
    names = "id kind state actor total created_at started_at finished_at done changed"
    table = Table(BulkJob, *names.split())
    table.fill((pk, "check_status", "done", chance.choice(staff), ITEMS, *[at] * 3, ITEMS, 0) for pk, at in jobs)
    items = Table(BulkItem, "job", "link", "state", "finished_at", "before", "after")
    items.fill(
        (pk, link, "failed" if chance.random() < 0.01 else "done", at, "healthy", "healthy")
        for pk, at in jobs
        for link in chance.sample(links, ITEMS)
    )
    UnrecognizedValue.objects.bulk_create(
        UnrecognizedValue(provider="belvo", place="status", value=f"mystery_{n}", seen=n) for n in range(UNRECOGNIZED)
    )


def build_full_checks(size: Size) -> None:
    chance, integrations = chance_of("full checks"), [each.pk.hex for each in Integration.objects.order_by("name")]
    checks = [
        (new_id(chance), chance.choice(integrations), "done", *[moment(NOW - timedelta(minutes=15 * n))] * 3, 1000)
        for n in range(max(200, int(size.links * CHECKS)))
    ]
    names = "id integration state started_at finished_at listed_at seen due_at"
    Table(FullCheck, *names.split()).fill((*check, None) for check in checks)
    batches = Table(FullCheckBatch, "full_check", "kind", "key", "done_at", "due_at")
    batches.fill((check[0], "page", str(n), check[4], None) for check in checks for n in range(BATCHES))


def _links(count: int, also: str) -> Iterator[tuple[str, str, Any]]:
    """Yield links in the order of their random IDs, so that they are a fair sample."""
    links = Link.objects.order_by("pk").values_list("pk", "integration_id", also)
    for pk, integration, value in links[:count].iterator(chunk_size=20_000):
        yield pk.hex, integration.hex, value


def _staff() -> list[str]:
    return [each.hex for each in User.objects.order_by("username").values_list("pk", flat=True)]
