"""The statements of a link's page: one of each kind, however long its history. The benchmark counts them the same."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.workloads.link_page import STATEMENTS, own_tables
from linkadmin.links.listing import known
from linkadmin.links.models import AssigneeChange, HealthChange, Link, Note
from linkadmin.operations.models import Operation
from linkadmin.providers.types import Cause
from linkadmin.webhooks.models import DeliveryLink, WebhookDelivery
from tests.environment import Environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

# The first table of each statement, besides those for session, user and audit.
EXPECTED = [
    "links_link",  # with customer, institution and repair request
    "integrations_integration",  # with circuit breaker and rate limits
    "operations_operation",  # the latest, and those that count as attempts
    "links_link",  # others at the bank that broke at the same time, and how many there are
    "links_healthchange",  # the timeline, of all kinds
    "links_healthchange",  # the last 90 days
]


def add_history(env: Environment, link: Link, entries: int) -> None:
    ana, ben, at = env.people["ana"], env.people["ben"], timezone.now()
    for number in range(entries // 5):
        at -= timedelta(hours=1)
        HealthChange.objects.create(link=link, at=at, source="list", new="waiting", cause=Cause.BANK_DOWN.value)
        Operation.objects.create(
            kind="update_credentials", state="rejected", integration=link.integration, link=link, actor=ana,
            end_user=link.end_user, operation_key=uuid.uuid4(), created_at=at, outcome="SignInRejected",
        )  # fmt: skip
        delivery = WebhookDelivery.objects.create(integration=link.integration, key=uuid.uuid4().hex, received_at=at)
        DeliveryLink.objects.create(delivery=delivery, link=link)
        Note.objects.create(link=link, author=ana, at=at, text=f"Note {number}")
        AssigneeChange.objects.create(link=link, by=ana, at=at, old=None, new=ben)


def tables(env: Environment, link: Link) -> list[str]:
    client = env.client()
    client.get(link.get_absolute_url())
    with CaptureQueriesContext(connection) as asked:
        client.get(link.get_absolute_url())
    return own_tables([each["sql"] for each in asked.captured_queries])


@pytest.mark.parametrize("provider", ["belvo", "heron"])
@pytest.mark.parametrize("entries", [0, 60])
def test_page_reads_each_table_once(
    env: Environment, monkeypatch: pytest.MonkeyPatch, provider: str, entries: int
) -> None:
    monkeypatch.setattr(known, "FRESH_SECONDS", 60)
    link = env.belvo_link() if provider == "belvo" else env.heron_link(bank="A bank", cause=Cause.LOGIN_REQUIRED)
    add_history(env, link, entries)

    assert tables(env, link) == EXPECTED
    assert len(EXPECTED) <= STATEMENTS
