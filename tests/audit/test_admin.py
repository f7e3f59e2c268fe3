"""The auditor's pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from linkadmin.accounts.models import User
from linkadmin.accounts.roles import Role
from linkadmin.audit import admin
from linkadmin.audit.log import record
from linkadmin.audit.models import AuditEvent, Outcome

pytestmark = [pytest.mark.urls("tests.accounts.urls"), pytest.mark.django_db, pytest.mark.database]

TRAIL = "/admin/audit/auditevent/"


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(User.objects.create_user(username="nora", password="irrelevant here", roles=Role.AUDITOR))
    return client


@pytest.fixture
def event(auditor: Client) -> AuditEvent:
    seq = record(
        actor=None, action="link.created", object_type="link", object_id="l-1", outcome=Outcome.DONE, operation_id="o-1"
    )
    return AuditEvent.objects.get(seq=seq)


@pytest.mark.usefixtures("event")
def test_log_is_listed_newest_first_and_says_who_did_what(auditor: Client) -> None:
    page = auditor.get(TRAIL)

    assert [event.action for event in page.context["cl"].result_list] == [
        "audit.viewed",
        "link.created",
        "session.started",
    ]
    assert "link l-1" in page.content.decode()


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=l-1", True),
        ("q=o-1", True),
        ("q=link.cre", True),
        ("q=l-2", False),
        ("q=", True),
        ("subject=link", True),
        ("subject=staff", False),
        ("outcome__exact=done", True),
        ("outcome__exact=denied", False),
        ("role=manager", False),
    ],
)
def test_log_can_be_searched_and_filtered(auditor: Client, query: str, found: bool) -> None:
    page = auditor.get(f"{TRAIL}?{query}")

    assert ("link.created" in [event.action for event in page.context["cl"].result_list]) is found


def test_each_of_several_roles_is_found(auditor: Client) -> None:
    both = User.objects.create_user(username="noah", password="irrelevant here", roles="manager,support")
    record(actor=both, action="link.created", object_type="link", object_id="l-1", outcome=Outcome.DONE)

    found = {
        role: [each.actor_role for each in auditor.get(f"{TRAIL}?role={role}").context["cl"].result_list]
        for role in ("support", "manager", "administrator")
    }

    assert found == {"support": ["manager,support"], "manager": ["manager,support"], "administrator": []}


def test_viewing_the_log_is_audited(auditor: Client) -> None:
    auditor.get(f"{TRAIL}?q=Maria")

    read = AuditEvent.objects.get(action="audit.viewed")
    assert (read.actor, read.outcome, read.object_type) == ("nora", "done", "audit_log")
    assert read.details == {"searched": True, "filtered": True}


def test_viewing_an_event_is_audited(auditor: Client, event: AuditEvent) -> None:
    page = auditor.get(f"{TRAIL}{event.seq}/change/")

    assert page.status_code == 200
    assert AuditEvent.objects.get(action="audit.viewed").object_id == str(event.seq)


@pytest.mark.parametrize("page", ["add/", "1/delete/", "1/change/"])
def test_nothing_can_be_changed(auditor: Client, page: str) -> None:
    assert auditor.post(TRAIL + page, {"post": "yes"}).status_code == 403
    assert AuditEvent.objects.filter(action="access.denied").count() == 1


def test_list_needs_no_more_queries_as_the_log_grows(
    auditor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(60):
        record(actor=None, action="link.seen", outcome=Outcome.DONE)

    with django_assert_max_num_queries(15):
        auditor.get(TRAIL)


def test_pages_of_the_log_start_beside_an_event_and_count_nothing(
    auditor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.AuditEventAdmin, "list_per_page", 2)
    seen = [record(actor=None, action="link.seen", outcome=Outcome.DONE) for _number in range(5)]

    with CaptureQueriesContext(connection) as done:
        first = auditor.get(f"{TRAIL}?subject=link").context["cl"].pager
        second = auditor.get(f"{TRAIL}{first.next}").context["cl"].pager
        back = auditor.get(f"{TRAIL}{second.previous}").context["cl"].pager

    assert [event.seq for event in first.rows] == seen[:-3:-1]
    assert [event.seq for event in second.rows] == seen[2:0:-1]
    assert second.next == f"?subject=link&after={seen[1]}"
    assert list(back.rows) == list(first.rows)
    assert not [each["sql"] for each in done.captured_queries if "COUNT(" in each["sql"] or "OFFSET" in each["sql"]]


def test_changing_a_filter_leads_to_its_first_page(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin.AuditEventAdmin, "list_per_page", 2)
    for _number in range(3):
        record(actor=None, action="link.seen", outcome=Outcome.DONE)
    second = auditor.get(TRAIL + auditor.get(TRAIL).context["cl"].pager.next)

    assert "after=" not in second.context["cl"].get_query_string({"subject": "link"})
    assert 'name="after"' not in second.content.decode()


@pytest.mark.usefixtures("event")
def test_links_to_rows_keep_the_filters_of_the_list(auditor: Client) -> None:
    whole, filtered = auditor.get(TRAIL).content.decode(), auditor.get(f"{TRAIL}?q=l-1&outcome__exact=done")
    row = f"{TRAIL}{filtered.context['cl'].result_list[0].pk}/change/"

    assert f'href="{row}"' in whole
    assert f'href="{row}?_changelist_filters=q%3Dl-1%26outcome__exact%3Ddone"' in filtered.content.decode()
