"""Request slots of a provider: available at once or not at all, and half of them per person at most."""

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as ours
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from linkadmin.audit.models import AuditEvent
from linkadmin.integrations import call_pool
from linkadmin.integrations.models import CallQuota, CallSlot, Integration
from linkadmin.integrations.slots import Slot
from linkadmin.links.models import Link
from linkadmin.operations.models import Operation, State
from tests.environment import HTMX, Environment
from tests.operations.helpers import reconciled
from tests.providers.conftest import Script, reply
from tests.waiting import wait_until

pytestmark = [pytest.mark.deep, pytest.mark.django_db(transaction=True), pytest.mark.database]

PASSWORD = "pass_typed"


def take(env: Environment, places: int, name: str | None = None) -> None:
    until = timezone.now() + timedelta(minutes=5)
    for _each in range(places):
        CallSlot.objects.create(
            integration=env.belvo, call="read_link", person=env.people[name] if name else None, lease_until=until
        )


@pytest.fixture
def _never_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_seconds: float) -> None:
        raise AssertionError("a page's thread waited for a slot")

    monkeypatch.setattr("linkadmin.integrations.rate_limiter.time.sleep", fail)


@pytest.mark.usefixtures("_never_sleeps")
@pytest.mark.parametrize("htmx", [False, True])
def test_credentials_without_a_free_slot_are_refused_at_once(env: Environment, htmx: bool) -> None:
    link = env.belvo_link()
    take(env, ours.CALLS_AT_ONCE_PER_INTEGRATION)

    url = f"/links/{link.pk}/credentials/"
    form = env.open(url).form_with("password")
    answer = env.client().post(url, form.values | {"password": PASSWORD}, headers=HTMX if htmx else {})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Too many requests to this provider are in progress. Nothing was sent" in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert env.calls("PUT") == []
    assert AuditEvent.objects.get(action="operation.update_credentials").details["reason"] == "too_many_calls"


WRITTEN = re.compile(r'(?:INSERT INTO|(?<!FOR )(?<!KEY )UPDATE|DELETE FROM) "?(\w+)')


@pytest.mark.parametrize("why", ["no_slot", "own_share", "same_link"])
def test_refusal_locks_and_writes_nothing_but_its_audit_row(env: Environment, why: str) -> None:
    link = env.belvo_link()
    form = env.open(f"/links/{link.pk}/credentials/").form_with("password")
    client = env.client()
    take(env, ours.CALLS_AT_ONCE_PER_INTEGRATION // (1 if why == "no_slot" else 2), "ana")
    if why == "same_link":
        CallSlot.objects.all().delete()
        Operation.objects.create(
            kind="update_credentials",
            integration=env.belvo,
            link=link,
            end_user=link.end_user,
            actor=env.people["ben"],
            operation_key=uuid4(),
            state=State.SENDING,
        )

    with CaptureQueriesContext(connection) as asked:
        answer = client.post(f"/links/{link.pk}/credentials/", form.values | {"password": PASSWORD})

    said = [query["sql"] for query in asked.captured_queries]
    assert answer.status_code == (409 if why == "same_link" else 503)
    assert sum(sql.startswith("BEGIN") for sql in said) == 1
    assert sorted(table for sql in said for table in WRITTEN.findall(sql)) == ["audit_auditevent", "audit_audithead"]
    assert sum("audit_" in sql for sql in said) <= 3
    assert len(said) <= 16, said
    assert "operations/not_sent.html" in {each.name for each in answer.templates}


@pytest.mark.usefixtures("_never_sleeps")
def test_no_page_waits_for_a_slot(env: Environment) -> None:
    link = env.belvo_link()
    take(env, ours.CALLS_AT_ONCE_PER_INTEGRATION)

    env.post(f"/links/{link.pk}/refresh/")
    env.post(f"/integrations/{env.belvo.pk}/test/", name="adm")
    env.settled()

    assert env.calls("GET", f"/api/links/{link.remote_id}") == []


def test_one_person_has_half_of_the_slots_at_most(env: Environment) -> None:
    mine, others = env.belvo_link(), env.belvo_link("Beta", bank="heimdall_mx_retail")
    take(env, ours.CALLS_AT_ONCE_PER_INTEGRATION // 2, "ana")

    refused = env.send(f"/links/{mine.pk}/credentials/", password=PASSWORD)
    env.send(f"/links/{others.pk}/credentials/", "ben", password=PASSWORD)
    env.settled()

    assert refused.status == 503
    assert "one person can use at most half of the request slots" in refused.words
    assert [call.path for call in env.calls("PUT")] == [f"/api/links/{others.remote_id}/"]


def test_slots_of_a_person_are_released_after_requests(env: Environment) -> None:
    links = [env.belvo_link(f"Acme {number}") for number in range(6)]

    for link in links:
        env.send(f"/links/{link.pk}/credentials/", password=PASSWORD)
        env.settled()

    assert len(env.calls("PUT")) == len(links)


class TestTwoWhoCheckTheSameLink:
    """Each sees the result of their own check."""

    def test_each_see_that_theirs_still_runs(
        self, env: Environment, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.OPERATION_ANSWER_SECONDS = 0.05
        link, first_may_end, second_may_end = env.belvo_link(), threading.Event(), threading.Event()
        script = Script([_after(first_may_end)])
        Integration.objects.filter(pk=env.belvo.pk).update(base_url=script.url)
        _check(env, link, "ana")
        begin = call_pool.start

        def start(key: UUID, slot: Slot, work: Callable[[], None]) -> None:
            begin(key, slot, lambda: (second_may_end.wait(60), work())[1])
            first_may_end.set()
            wait_until(lambda: CallSlot.objects.count() == 1)
            time.sleep(0.2)  # time the first needs after releasing its slot

        monkeypatch.setattr(call_pool, "start", start)

        told = _check(env, link, "ben")
        second_may_end.set()
        env.settled()
        script.stop()

        assert "Still contacting the provider" in told
        assert "Asked just now" not in told


class TestReconciliation:
    """Checks of unknown outcomes use background slots."""

    @pytest.fixture
    def lost(self, env: Environment) -> Operation:
        link = env.belvo_link()
        env.send(f"/links/{link.pk}/credentials/", password="lost_before")
        env.settled()
        operation = env.last_operation(link)
        assert operation.state == State.UNKNOWN
        CallQuota.objects.all().delete()
        return operation

    def test_leaves_a_tenth_of_the_quota_to_staff(self, env: Environment, lost: Operation) -> None:
        ends_at = timezone.now() + timedelta(minutes=1)
        CallQuota.objects.create(integration=env.belvo, scope="", calls=40, used=36, window_ends_at=ends_at)
        before = len(env.calls("GET", "/api/links/"))

        reconciled(lost)

        assert len(env.calls("GET", "/api/links/")) == before

    def test_leaves_three_slots_to_staff(
        self, env: Environment, lost: Operation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("linkadmin.integrations.slots.SLOT_WAIT_SECONDS", 0.0)
        take(env, 5)
        before = len(env.calls("GET", "/api/links/"))

        reconciled(lost)

        assert len(env.calls("GET", "/api/links/")) == before

    def test_reads_where_there_is_room(self, env: Environment, lost: Operation) -> None:
        before = len(env.calls("GET", "/api/links/"))

        reconciled(lost)

        assert len(env.calls("GET", "/api/links/")) == before + 1


def _after(event: threading.Event) -> Any:
    def behave(connection: Any) -> None:
        event.wait(60)
        reply(404, [])(connection)

    return behave


def _check(env: Environment, link: Link, name: str) -> str:
    env.post(f"/links/{link.pk}/refresh/", name=name)
    return env.open(f"/links/{link.pk}/", name).words
