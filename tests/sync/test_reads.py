"""Wanted links are read: once for everyone, not too often, even if workers die or requests are held back."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from linkadmin.integrations.models import CallQuota, CircuitBreaker, Integration
from linkadmin.links import due_reads
from linkadmin.links.models import READ_EVERY, Link, LinkRead, Reason
from linkadmin.providers.types import Cause, HealthState
from linkadmin.simulator.settings import SimulatorSettings
from linkadmin.sync import reads, tasks
from linkadmin.work_queue import claim
from tests.environment import HERON_INTEGRATION, Environment
from tests.slowness import SlowProvider
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

AT_BELVO, AT_HERON = "/api/links/", f"/api/integrations/{HERON_INTEGRATION}/links"


def want(*links: Link, reason: Reason = Reason.WEBHOOK) -> None:
    due_reads.want([link.pk for link in links], reason=reason, at=timezone.now())


def row_of(link: Link) -> LinkRead:
    return LinkRead.objects.get(link=link)


def due_now(*links: Link) -> None:
    """Make these links due now."""
    LinkRead.objects.filter(link__in=links).update(due_at=timezone.now(), read_at=None)


def claimed() -> list[LinkRead]:
    return claim(LinkRead.objects.all(), now=timezone.now(), limit=10, lease=timedelta(minutes=1))


def seen(link: Link) -> str:
    link.refresh_from_db()
    return link.health


def test_wanted_link_shows_what_the_provider_says_now(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REFUSED)

    want(link)
    reads.work(env.belvo.pk)

    assert seen(link) == HealthState.HEALTHY.value
    assert row_of(link).due_at is None


def test_link_that_many_want_is_read_once(env: Environment) -> None:
    link = env.belvo_link()

    for reason in list(Reason) * 10:
        want(link, reason=reason)
    reads.work(env.belvo.pk)

    assert len(env.calls("GET", AT_BELVO)) == 1


def test_next_read_of_a_link_comes_ten_seconds_after_the_last(env: Environment) -> None:
    link = env.belvo_link()
    want(link)
    reads.work(env.belvo.pk)

    want(link)
    reads.work(env.belvo.pk)

    row = row_of(link)
    assert len(env.calls("GET", AT_BELVO)) == 1
    assert row.read_at
    assert row.due_at == row.read_at + READ_EVERY


def test_request_older_than_a_read_needs_no_other_read(env: Environment) -> None:
    link, at = env.belvo_link(), timezone.now()
    want(link)
    reads.work(env.belvo.pk)

    due_reads.want([link.pk], reason=Reason.WEBHOOK, at=at)

    assert row_of(link).due_at is None


def test_request_during_a_read_leads_to_another_read(env: Environment, slow: SlowProvider) -> None:
    link = env.belvo_link()
    env.simulator.configure(SimulatorSettings(latency=1))
    want(link)
    reader = threading.Thread(target=in_thread, args=(reads.work, env.belvo.pk))
    reader.start()
    wait_until(lambda: env.calls("GET", AT_BELVO))

    want(link)
    slow.answers()
    reader.join()

    row = row_of(link)
    assert row.read_at
    assert row.due_at == row.read_at + READ_EVERY


def test_links_of_one_belvo_account_are_read_by_one_call(env: Environment) -> None:
    links = [env.belvo_link(f"Acme {number}") for number in range(5)]

    want(*links)
    reads.work(env.belvo.pk)

    (call,) = env.calls("GET", AT_BELVO)
    assert {seen(link) for link in links} == {HealthState.HEALTHY.value}
    assert sorted(call.query["id__in"].split(",")) == sorted(link.remote_id for link in links)


def test_links_of_several_heron_customers_are_read_by_a_call_each(env: Environment) -> None:
    links = [env.heron_link(item_id=f"item-{number}") for number in range(3)]

    want(*links)
    reads.work(env.heron.pk)

    assert len(env.calls("GET", AT_HERON)) == 3


def test_link_that_is_not_there_is_gone_after_a_second_look(env: Environment) -> None:
    gone, there = env.belvo_link(cause=Cause.WORKING), env.belvo_link(cause=Cause.WORKING)
    del env.simulator.store.belvo_links[gone.remote_id]
    want(gone, there)
    reads.work(env.belvo.pk)
    assert seen(gone) == HealthState.HEALTHY.value
    assert gone.missing_since is not None

    due_now(gone)
    reads.work(env.belvo.pk)

    assert (seen(gone), row_of(gone).due_at) == (HealthState.DISCONNECTED.value, None)
    assert seen(there) == HealthState.HEALTHY.value


def test_link_that_is_there_at_the_second_look_is_not_missing(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    Link.objects.filter(pk=link.pk).update(missing_since=timezone.now())

    want(link, reason=Reason.MISSING)
    reads.work(env.belvo.pk)

    assert seen(link) == HealthState.HEALTHY.value
    assert link.missing_since is None


def test_read_in_vain_is_repeated_after_growing_pauses_and_changes_no_state(env: Environment) -> None:
    link, pauses = env.belvo_link(), []
    env.simulator.fail("GET", AT_BELVO, "unsupported_operation", 4)
    want(link)
    for _ in range(4):
        due_now(link)
        reads.work(env.belvo.pk)
        row = row_of(link)
        assert row.due_at
        assert row.read_at
        pauses.append(round((row.due_at - row.read_at).total_seconds()))

    assert pauses == [10, 10, 20, 40]
    assert (seen(link), link.check_failed) == (HealthState.CUSTOMER_LOGIN.value, "unsupported_operation")


def test_link_that_spoils_a_call_is_read_by_itself(env: Environment) -> None:
    spoilt, good = env.belvo_link(), env.belvo_link()
    want(spoilt, good)
    LinkRead.objects.filter(link=spoilt).update(attempts=reads.ALONE_AFTER)

    reads.work(env.belvo.pk)

    assert len(env.calls("GET", AT_BELVO)) == 2


def test_integration_that_is_paused_keeps_no_other_waiting(env: Environment) -> None:
    waits, goes = env.belvo_link(), env.heron_link(cause=Cause.LOGIN_REQUIRED)
    CircuitBreaker.objects.create(integration=env.belvo, open_until=timezone.now() + timedelta(seconds=30))
    want(waits, goes)

    for integration in (env.belvo, env.heron):
        tasks.read_due(str(integration.pk))

    assert not env.calls("GET", AT_BELVO)
    assert row_of(waits).due_at
    assert row_of(goes).due_at is None


def test_read_that_our_quota_holds_back_comes_when_the_window_ends(env: Environment) -> None:
    link, ends = env.heron_link(), timezone.now() + timedelta(seconds=40)
    for call in ("list_links", "read_links"):
        CallQuota.objects.create(integration=env.heron, scope=call, calls=100, used=90, window_ends_at=ends)

    want(link)
    reads.work(env.heron.pk)

    row = row_of(link)
    assert not env.calls("GET", AT_HERON)
    assert (row.attempts, row.lease_until) == (0, None)
    assert row.due_at
    assert abs(row.due_at - ends) < timedelta(seconds=2)


def test_refused_keys_are_not_used_and_nothing_is_forgotten(env: Environment) -> None:
    link = env.belvo_link()
    Integration.objects.update(key_state=Integration.KeyState.REJECTED)
    want(link)
    reads.work(env.belvo.pk)
    assert not env.calls("GET", AT_BELVO)

    Integration.objects.update(key_state=Integration.KeyState.VALID)
    reads.work(env.belvo.pk)

    assert seen(link) == HealthState.HEALTHY.value


def test_what_a_dead_reader_had_is_read_when_its_lease_is_over(env: Environment) -> None:
    link = env.belvo_link()
    want(link)
    claimed()
    reads.work(env.belvo.pk)
    assert not env.calls("GET", AT_BELVO)

    LinkRead.objects.update(lease_until=timezone.now())
    reads.work(env.belvo.pk)

    assert seen(link) == HealthState.HEALTHY.value


def test_reader_that_comes_back_too_late_leaves_the_row_to_the_next(env: Environment) -> None:
    link = env.belvo_link()
    want(link)
    late = claimed()
    LinkRead.objects.update(lease_until=timezone.now())
    next_one = claimed()

    reads.end(late, LinkRead.drop)

    assert row_of(link).due_at is not None
    assert row_of(link).claim_token == next_one[0].claim_token


def test_urgent_link_is_read_first(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "CLAIMED_AT_ONCE", 1)
    patient, urgent = env.belvo_link(), env.belvo_link()
    want(patient, reason=Reason.AGE)
    want(urgent, reason=Reason.WEBHOOK)

    reads.work(env.belvo.pk)

    assert [call.query["id__in"] for call in env.calls("GET", AT_BELVO)] == [
        urgent.remote_id,
        patient.remote_id,
    ]


def test_less_urgent_request_does_not_lower_the_priority(env: Environment) -> None:
    link = env.belvo_link()

    want(link, reason=Reason.WEBHOOK)
    want(link, reason=Reason.AGE)

    assert row_of(link).reason == Reason.WEBHOOK


def test_two_workers_read_a_link_once(env: Environment) -> None:
    links = [env.belvo_link() for _ in range(3)]
    env.simulator.configure(SimulatorSettings(latency=50))
    want(*links)

    workers = [threading.Thread(target=in_thread, args=(reads.work, env.belvo.pk)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(env.calls("GET", AT_BELVO)) == 1


def test_link_that_ended_is_not_read_any_more(env: Environment) -> None:
    link = env.belvo_link()
    want(link)
    Link.objects.update(disconnected_at=timezone.now())

    reads.work(env.belvo.pk)

    assert not env.calls("GET", AT_BELVO)
    assert row_of(link).due_at is None


def test_link_that_is_due_in_a_moment_is_waited_for(env: Environment) -> None:
    link = env.belvo_link()
    want(link)
    LinkRead.objects.update(due_at=timezone.now() + timedelta(seconds=0.2))

    reads.work(env.belvo.pk)

    assert seen(link) == HealthState.HEALTHY.value


def in_thread(work: object, *args: object) -> None:
    try:
        work(*args)  # type: ignore[operator]
    finally:
        connection.close()


def test_link_with_a_consent_that_is_gone_is_looked_for_twice_and_no_more(env: Environment) -> None:
    bank = env.belvo.institutions.filter(integration_type="openfinance")[0]
    link = env.let_know(env.belvo, env.customer(), "gone", bank, Cause.WORKING)

    want(link)
    for _time in range(3):
        reads.work(env.belvo.pk)
        LinkRead.objects.filter(due_at__isnull=False).update(due_at=timezone.now(), read_at=None)

    assert seen(link) == HealthState.DISCONNECTED.value
    assert row_of(link).due_at is None
    assert len(env.calls("GET", AT_BELVO)) == 2
