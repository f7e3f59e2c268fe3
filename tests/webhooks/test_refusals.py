"""Rejected requests: counted per minute, warned about once, and shown on pages."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.webhooks import refusals
from linkadmin.webhooks.models import RefusalCount
from tests.environment import Environment

from .webhook_sender import FORGED, belvo_webhook, deliver, open_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("still")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def address(env: Environment) -> str:
    return open_endpoint(env.belvo)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "webhooks.refusals" in record.getMessage()]


def test_only_rejected_requests_are_counted(env: Environment, address: str) -> None:
    for headers in (FORGED, None, FORGED, FORGED, None):
        deliver(address, belvo_webhook(), headers)

    assert refusals.last_hour(env.belvo) == 3
    assert refusals.last_hour(env.heron) == 0


def test_more_than_twenty_per_minute_warn_once(env: Environment, caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()

    for number in range(60):
        refusals.note(env.belvo.pk, now=now)
        assert len(warnings(caplog)) == (1 if number >= 20 else 0)

    refusals.note(env.belvo.pk, now=now + MINUTE)
    assert len(warnings(caplog)) == 1
    assert str(env.belvo.pk) in warnings(caplog)[0]


def test_flood_is_counted_by_hundreds_and_leaves_the_database_alone(env: Environment) -> None:
    now = timezone.now()

    with CaptureQueriesContext(connection) as asked:
        for _ in range(1_000):
            refusals.note(env.belvo.pk, now=now)

    assert RefusalCount.objects.get().count == 1_000
    assert len(asked) == 100 + 9


def test_request_to_an_unknown_url_costs_only_the_lookup(caplog: pytest.LogCaptureFixture) -> None:
    with CaptureQueriesContext(connection) as asked:
        for _ in range(25):
            deliver("/webhooks/belvo/0123456789abcdef0123456789abcdef/", belvo_webhook())

    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
    assert not RefusalCount.objects.exists()
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize(("name", "where"), [("ana", "/deliveries/"), ("mia", "/integrations/{pk}/endpoint/")])
def test_flood_is_shown_on_its_pages(env: Environment, address: str, name: str, where: str) -> None:
    url = where.format(pk=env.belvo.pk)
    told = "Many webhooks rejected for Belvo test" if name == "ana" else "more than 20 a minute"
    assert told not in env.open(url, name).words

    for _ in range(21):
        deliver(address, belvo_webhook(), FORGED)

    assert told in env.open(url, name).words
