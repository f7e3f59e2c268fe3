"""Counts of links by state: exact after every change and per day, and the same after a recount."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkadmin.integrations.models import Integration
from linkadmin.links import counts, health
from linkadmin.links.count_upkeep import compare, fold, recount
from linkadmin.links.models import CountMove, DailyCount, DailyTotal, HealthChange, Link, LinkTotal
from linkadmin.providers.types import Cause, Observation, RemoteLink
from tests.environment import Environment

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LIST = health.Source.LIST


def tell(link: Link, cause: Cause, at: datetime | None = None) -> None:
    health.observe(link, health.Report(Observation(cause), LIST, at or timezone.now()))


def unseen(env: Environment) -> Link:
    """A link created elsewhere, not saved yet."""
    return Link(integration=env.belvo, end_user=env.customer(), institution=env.bank(), remote_id="link-9")


def test_counts_follow_every_change_before_and_after_folding(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.LOGIN_REFUSED)
    fold()
    env.belvo_link("Beta", cause=Cause.WORKING)
    tell(link, Cause.BANK_DOWN)

    assert counts.in_environment("production") == Counter(waiting=1, healthy=1)
    assert fold() == 2
    assert counts.in_environment("production") == Counter(waiting=1, healthy=1)
    assert not CountMove.objects.exists()


def test_counts_are_kept_by_integration_and_institution(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    env.heron_link()
    fold()

    assert counts.current(integration=env.heron) == Counter(healthy=1)
    assert counts.current(institution=link.institution) == Counter(healthy=1)


def test_link_is_counted_at_the_institution_it_moved_to(env: Environment) -> None:
    link, was = env.belvo_link(bank="erebor_mx_retail", cause=Cause.WORKING), env.bank("erebor_mx_retail")
    fold()
    remote = RemoteLink(link.remote_id, Observation(Cause.BANK_DOWN), institution="heimdall_mx_retail")
    health.observe_remote(link, remote, source=LIST, at=timezone.now())

    assert counts.by_institution([was.pk, env.bank().pk]) == {was.pk: Counter(), env.bank().pk: Counter(waiting=1)}
    fold()
    assert counts.by_institution([was.pk, env.bank().pk]) == {was.pk: Counter(), env.bank().pk: Counter(waiting=1)}
    assert counts.in_environment("production") == Counter(waiting=1)


def test_repairs_being_verified_count_separately(env: Environment) -> None:
    link = env.belvo_link()
    health.start_verifying(link, at=timezone.now(), request_id="")
    assert counts.in_environment("production") == Counter(verifying=1)

    health.stop_verifying(link, now=timezone.now())
    assert counts.in_environment("production") == Counter(customer_login=1)


def test_report_that_changes_nothing_moves_nothing(env: Environment) -> None:
    link = env.belvo_link(cause=Cause.WORKING)
    fold()
    tell(link, Cause.WORKING)

    assert fold() == 0


def test_trend_shows_the_end_of_each_day(env: Environment) -> None:
    now = timezone.now()
    link = unseen(env)
    health.start_links([(link, RemoteLink(link.remote_id, Observation(Cause.WORKING)))], at=now - timedelta(days=5))
    tell(link, Cause.BANK_DOWN, now - timedelta(days=2))
    fold()

    days = counts.trend(7, "production", today=now.astimezone(UTC).date())

    assert days == {"healthy": [0, 1, 1, 1, 0, 0, 0], "waiting": [0, 0, 0, 0, 1, 1, 1]}


def test_recount_gives_the_same_counts(env: Environment) -> None:
    tell(env.belvo_link(), Cause.BANK_DOWN)
    health.start_verifying(env.belvo_link("Beta"), at=timezone.now(), request_id="")
    env.heron_link()
    before = counts.in_environment("production")

    recount()

    assert counts.in_environment("production") == before == Counter(waiting=1, verifying=1, healthy=1)


def test_recount_corrects_counts_that_are_wrong(env: Environment) -> None:
    env.belvo_link(cause=Cause.WORKING)
    fold()
    LinkTotal.objects.update(links=7)
    LinkTotal.objects.create(integration=env.heron, state="waiting", links=1)

    assert recount() == 2
    assert counts.in_environment("production") == Counter(healthy=1)
    assert recount() == 0


def test_only_one_of_two_recounts_corrects(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    env.belvo_link(cause=Cause.WORKING)
    fold()
    LinkTotal.objects.update(links=7)
    compared = compare()
    recount()
    monkeypatch.setattr("linkadmin.links.count_upkeep.compare", lambda: compared)

    assert recount() == 0
    assert counts.in_environment("production") == Counter(healthy=1)


def test_first_fold_counts_existing_links(env: Environment) -> None:
    env.heron_link()
    CountMove.objects.all().delete()

    fold()

    assert counts.in_environment("production") == Counter(healthy=1)


def test_counts_are_deleted_with_their_integration() -> None:
    integration = Integration.objects.create(provider="heron", name="Heron", base_url="https://app.herondata.io")
    LinkTotal.objects.create(integration=integration, state="healthy", links=2)
    integration.delete()

    assert counts.in_environment("production") == Counter()


def test_first_recount_that_breaks_off_counts_each_day_once(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(env.belvo_link(cause=Cause.WORKING), Cause.BANK_DOWN)
    CountMove.objects.all().delete()  # links from before the counts
    today = timezone.now().astimezone(UTC).date()
    with monkeypatch.context() as patch:
        patch.setattr("linkadmin.links.count_upkeep._correct", Mock(side_effect=RuntimeError))
        with pytest.raises(RuntimeError):
            recount()
    assert DailyTotal.objects.get(day=today, state="waiting").entered == 1

    tell(env.belvo_link("Beta", cause=Cause.WORKING), Cause.BANK_DOWN)
    fold()

    assert DailyTotal.objects.get(day=today, state="waiting").entered == 2
    assert DailyCount.objects.get(day=today, state="waiting").entered == 2
    assert counts.in_environment("production") == Counter(waiting=2)


def test_first_recount_writes_few_days_at_a_time(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linkadmin.links.models.counts.ROWS_AT_ONCE", 2)
    for number in range(5):
        env.belvo_link(f"Customer {number}", cause=Cause.WORKING)
    for days, change in enumerate(HealthChange.objects.all()):
        HealthChange.objects.filter(pk=change.pk).update(at=change.at - timedelta(days=days))
    CountMove.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        recount()

    before_transaction = takewhile(lambda sql: not sql.startswith("SAVEPOINT"), (each["sql"] for each in captured))
    filled = [sql for sql in before_transaction if "DO NOTHING" in sql]
    assert len(filled) == 6
    assert not [sql for sql in filled if sql.count("), (") > 1]
    assert DailyCount.objects.count() == 5
