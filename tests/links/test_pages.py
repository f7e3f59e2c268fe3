"""A page of listed records: only changed links are written, and newer data stays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import counts, health
from linkadmin.links.models import EndUser, HealthChange, Link
from linkadmin.providers.types import Cause, Observation, RemoteLink

pytestmark = pytest.mark.django_db

T0 = timezone.now() - timedelta(hours=1)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def record(number: int, cause: Cause = Cause.WORKING) -> RemoteLink:
    return RemoteLink(f"link-{number}", Observation(cause, raw_status=cause.value))


@pytest.fixture
def integration() -> Integration:
    """An integration with three links that work, according to the list."""
    integration = Integration.objects.create(provider="belvo", name="Belvo", base_url="https://sandbox.belvo.com")
    customer = EndUser.objects.create(external_id="cus-1", name="Acme Corp")
    found = [
        (Link(integration=integration, end_user=customer, remote_id=f"link-{number}"), record(number))
        for number in range(3)
    ]
    health.start_links(found, at=at(0))
    return integration


@contextmanager
def nothing_written() -> Iterator[None]:
    with CaptureQueriesContext(connection) as captured:
        yield
    writes = [query["sql"] for query in captured if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert writes == []


def test_links_created_elsewhere_start_with_their_first_state(integration: Integration) -> None:
    link = integration.links.get(remote_id="link-1")

    assert link.health == "healthy"
    assert [(change.old, change.new) for change in link.changes.all()] == [("", "healthy")]
    assert link.search.text.startswith("acme corp cus-1")


def test_page_that_says_the_same_writes_nothing(integration: Integration) -> None:
    with nothing_written():
        seen = health.observe_page(integration, [record(number) for number in range(3)], at=at(1))

    assert (seen.written, seen.changed, seen.unknown_links) == (0, 0, ())


def test_page_writes_only_links_that_changed(integration: Integration) -> None:
    page = [record(0), record(1, Cause.LOGIN_REFUSED), record(2), record(7)]

    seen = health.observe_page(integration, page, at=at(1))

    assert (seen.written, seen.changed) == (1, 1)
    assert [stranger.remote_id for stranger in seen.unknown_links] == ["link-7"]
    assert integration.links.get(remote_id="link-1").health == "customer_login"
    assert integration.links.get(remote_id="link-0").observed_at == at(0)


def test_page_writes_all_its_changes_with_the_same_statements(integration: Integration) -> None:
    with CaptureQueriesContext(connection) as one:
        health.observe_page(integration, [record(0, Cause.BANK_DOWN)], at=at(1))
    with CaptureQueriesContext(connection) as all_three:
        health.observe_page(integration, [record(number, Cause.LOGIN_REFUSED) for number in range(3)], at=at(2))

    assert len(all_three) == len(one)
    assert HealthChange.objects.filter(at=at(2), cause=Cause.LOGIN_REFUSED.value).count() == 3
    assert counts.in_environment("production") == {"customer_login": 3}


@pytest.mark.parametrize("cause", [Cause.LOGIN_REFUSED, Cause.CODE_NEEDED, Cause.RENEW_SOON, Cause.UNRECOGNIZED])
def test_page_leaves_what_single_reads_leave(integration: Integration, cause: Cause) -> None:
    told = replace(record(0, cause), refresh_rate="7d", resources=("OWNERS",), fresh_for=timedelta(days=15))
    told = replace(told, observation=replace(told.observation, raw_code="odd", last_good_at=at(0), conflict=True))
    read, listed = integration.links.get(remote_id="link-1"), integration.links.get(remote_id="link-2")

    health.observe_remote(read, replace(told, remote_id="link-1"), source=health.Source.LIST, at=at(1))
    health.observe_page(integration, [replace(told, remote_id="link-2")], at=at(1))

    own = {"id": None, "remote_id": None, "fingerprint": None, "created_at": None}
    rows = [Link.objects.filter(pk=each.pk).values().get() | own for each in (read, listed)]
    assert rows[0] == rows[1]


def test_read_that_began_before_a_page_does_not_replace_it(integration: Integration) -> None:
    link = integration.links.get(remote_id="link-1")
    health.start_check([link.pk], at=at(1))
    health.observe_page(integration, [record(1)], at=at(2))  # which says what we know already

    health.observe_remote(link, record(1, Cause.BANK_DOWN), source=health.Source.LIST, at=at(1))

    link.refresh_from_db()
    assert link.health == "healthy"


def test_page_requested_before_a_read_does_not_replace_it(integration: Integration) -> None:
    link = integration.links.get(remote_id="link-1")
    health.observe_remote(link, record(1, Cause.BANK_DOWN), source=health.Source.LIST, at=at(2))

    health.observe_page(integration, [record(1, Cause.LOGIN_REFUSED)], at=at(1))

    link.refresh_from_db()
    assert link.health == "waiting"


def test_link_that_was_missing_is_there_again(integration: Integration) -> None:
    link = integration.links.get(remote_id="link-1")
    assert health.note_missing([link.pk], at=at(1)) == 1
    assert health.note_missing([link.pk], at=at(2)) == 0

    health.observe_page(integration, [record(1)], at=at(3))

    link.refresh_from_db()
    assert (link.missing_since, link.health) == (None, "healthy")


def test_repair_is_verified_by_an_unchanged_page(integration: Integration) -> None:
    link = integration.links.get(remote_id="link-1")
    health.start_verifying(link, at=at(1), request_id="")

    health.observe_page(integration, [record(1)], at=at(2))

    link.refresh_from_db()
    assert not link.is_verifying


def test_full_list_counts_as_a_check_of_each_link(integration: Integration) -> None:
    Integration.objects.update(last_full_check_at=timezone.now() + timedelta(minutes=1))
    completed_full_check = Link.objects.select_related("integration").get(remote_id="link-1")
    health.note_missing([Link.objects.get(remote_id="link-2").pk], at=at(1))
    missing = Link.objects.select_related("integration").get(remote_id="link-2")

    assert completed_full_check.last_checked_at == completed_full_check.integration.last_full_check_at
    assert missing.last_checked_at == at(0)
